/** @file `hocket serve`: the studio in a browser, and the HTTP API. */

import { spawn } from "node:child_process";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { HocketError } from "../errors.js";
import type { Place } from "../server/jobs.js";
import type { Storage } from "../server/s3.js";
import { licenceOf } from "../weights/source.js";
import type { Command, Given, Option } from "./command.js";
import { adaptersFrom, bundledModel, findModel, licenceNotice, loraOption, modelOption } from "./models.js";
import { say } from "./report.js";
import { software } from "./software.js";
import { threadsFrom, threadsOption } from "./threads.js";

/** Seconds in which what is being composed may still be finished after a Ctrl-C. */
const grace = 10;

export const storageOption: Option = {
  kind: "text",
  value: "s3://B/P",
  help: "S3-compatible storage for sounds, in place of a folder that all machines see; keys from AWS_... in the environment",
};

export const serveCommand: Command = {
  name: "serve",
  summary: "make music in the browser, or over HTTP",
  options: {
    port: { kind: "number", value: "N", help: "where to listen; default 7860" },
    host: { kind: "text", value: "H", help: "an address to listen at for others too; default: this machine only" },
    token: { kind: "text", value: "T", help: "what requests must show; needed with --host; or set HOCKET_TOKEN" },
    data: { kind: "text", value: "DIR", help: "where what was made is kept; default: your folder for programs' data" },
    music: {
      kind: "text",
      many: true,
      value: "DIR",
      help: "a folder that may be trained on, and those in it; default, unless others are let in: your home folder",
    },
    "no-open": { kind: "flag", help: "open no browser" },
    model: modelOption,
    lora: loraOption,
    threads: threadsOption,
    queue: {
      kind: "text",
      value: "URL",
      help: "let `hocket worker`s compose, by a Redis such as redis://localhost:6379",
    },
    storage: storageOption,
  },
  examples: [
    "hocket serve",
    "hocket serve --music ~/Music",
    "HOCKET_TOKEN=... hocket serve --host 0.0.0.0 --model facebook/musicgen-small --no-open",
  ],
  patience: grace + 10,
  async run(given, signal) {
    const port = wholeNumber("--port", given.number("port") ?? 7860, 0, 65535);
    const { threads } = threadsFrom(given);
    const token = given.text("token") ?? (process.env.HOCKET_TOKEN || undefined);
    const { places, licence } = await placesFrom(given, signal);
    const storage = await storageFrom(given);
    const { startServer } = await import("../server/serve.js"); // other commands need none of it
    const server = await startServer({
      host: given.text("host"),
      port,
      token,
      data: given.text("data") ?? usualData(),
      queue: given.text("queue"),
      storage,
      models: places,
      ready: true,
      threads,
      music: given.texts("music").length > 0 ? given.texts("music") : undefined,
      program: fileURLToPath(new URL("./main.js", import.meta.url)),
      studio: fileURLToPath(new URL("../../../studio/dist", import.meta.url)),
      software,
      log: say,
    });
    say(licenceNotice(places[0]!.name, licence));
    say(`the studio is at ${server.url}/ (Ctrl-C ends it)`);
    if (!process.stdout.isTTY) process.stdout.write(`${server.url}\n`);
    if (!given.flag("no-open") && process.stdout.isTTY)
      open(`${server.url}/${token === undefined ? "" : `#token=${encodeURIComponent(token)}`}`);
    await new Promise<void>((resolve) =>
      signal.aborted ? resolve() : signal.addEventListener("abort", () => resolve()),
    );
    say(`finishing what is being composed, ${grace} s at most`);
    await server.close(1000 * grace);
  },
};

/** What is kept there is what workers make, and the sounds that they are given. */
export async function storageFrom(given: Given): Promise<Storage | undefined> {
  const place = given.text("storage");
  if (place === undefined) return undefined;
  const { openS3 } = await import("../server/s3.js");
  return openS3(place, process.env);
}

/** Models that a server or worker knows by themselves: the one that was named, and the one in the package. */
export async function placesFrom(given: Given, signal: AbortSignal) {
  const added = await adaptersFrom(given.texts("lora"));
  const { folder, name, adapters } = await findModel(given.text("model"), signal);
  const own: Place = {
    name: [name, ...given.texts("lora")].join(" + "),
    path: folder.location,
    adapters: [...adapters, ...added].map(({ folder, strength }) => ({ path: folder.location, strength })),
  };
  const places = own.name === bundledModel.name ? [own] : [own, bundledModel];
  return { places, licence: await licenceOf(folder) };
}

// --- internal ---

function wholeNumber(option: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new HocketError("bad-request", `${option}: give a whole number from ${least} to ${most}`);
}

/** Where programs of this system keep what people make with them. */
function usualData(): string {
  const home = homedir();
  if (process.platform === "darwin") return join(home, "Library", "Application Support", "Hocket");
  if (process.platform === "win32") return join(process.env.LOCALAPPDATA ?? join(home, "AppData", "Local"), "Hocket");
  return join(process.env.XDG_DATA_HOME || join(home, ".local", "share"), "hocket");
}

/** Shows a page in the person's browser; where there is none, the address was printed. */
function open(url: string): void {
  const [command, ...args] = { darwin: ["open", url], win32: ["cmd", "/c", "start", '""', url] }[
    process.platform as string
  ] ?? ["xdg-open", url];
  const child = spawn(command!, args, { stdio: "ignore", detached: true });
  child.on("error", () => {});
  child.unref();
}
