/** @file `hocket pull`: brings a model of the hub to this machine, into the cache that Python shares. */

import { openFolder } from "#platform";
import { licenceOf } from "../weights/source.js";
import type { Command } from "./command.js";
import { findModel, licenceNotice } from "./models.js";
import { say } from "./report.js";

export const pullCommand: Command = {
  name: "pull",
  summary: "fetch a model of the Hugging Face hub",
  operand: { name: "ID", help: "a hub id such as facebook/musicgen-small, with @REVISION if it matters" },
  options: {
    json: { kind: "flag", help: "print one line of JSON with where it is" },
  },
  examples: ["hocket pull facebook/musicgen-small"],
  async run(given, signal) {
    const { folder, name } = await findModel(given.operand, signal);
    const licence = await licenceOf(await openFolder(folder.location));
    say(licenceNotice(name, licence));
    process.stdout.write(
      given.flag("json")
        ? `${JSON.stringify({ model: name, folder: folder.location, licence })}\n`
        : `${folder.location}\n`,
    );
  },
};
