/** @file `hocket pull`: brings a model of the hub to this machine, into the cache that Python shares. */

import { pull } from "#platform";
import { licenceOf } from "../weights/source.js";
import type { Command } from "./command.js";
import { licenceNotice, showFetching } from "./models.js";
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
    // Unlike `generate`, this asks the hub: for what is missing here, and for a newer revision.
    const folder = await showFetching(pull(given.operand, { signal }));
    const licence = await licenceOf(folder);
    say(licenceNotice(given.operand, licence));
    const made = { model: given.operand, folder: folder.location, licence };
    process.stdout.write(given.flag("json") ? `${JSON.stringify(made)}\n` : `${folder.location}\n`);
  },
};
