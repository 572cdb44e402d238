/**
 * @file `hocket`: picks the command, and turns how it ended into an exit code. 0 done, 2 what was asked or given cannot
 * be used, 130 stopped by Ctrl-C (143 by SIGTERM), 1 anything else. stdout is data, stderr is for people.
 */

import { type ErrorCode, HocketError } from "../errors.js";
import type { Command } from "./command.js";
import { helpFor, parseCommand } from "./options.js";
import { isSaving } from "./output.js";
import { say } from "./report.js";
import { software } from "./software.js";

/** By name. Each is loaded when it is asked for: to start with all of them takes twice the time. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  generate: async () => (await import("./generate.js")).generateCommand,
  serve: async () => (await import("./serve.js")).serveCommand,
  worker: async () => (await import("./worker.js")).workerCommand,
  encode: async () => (await import("./encode.js")).encodeCommand,
  decode: async () => (await import("./decode.js")).decodeCommand,
  inspect: async () => (await import("./inspect.js")).inspectCommand,
  pull: async () => (await import("./pull.js")).pullCommand,
  merge: async () => (await import("./merge.js")).mergeCommand,
  "data make": async () => (await import("./data-make.js")).dataMakeCommand,
  "data scan": async () => (await import("./data-scan.js")).dataScanCommand,
  "data tokenize": async () => (await import("./data-tokenize.js")).dataTokenizeCommand,
  "train codec": async () => (await import("./train-codec.js")).trainCodecCommand,
  "train lm": async () => (await import("./train-lm.js")).trainLmCommand,
  bench: async () => (await import("./bench.js")).benchCommand,
  eval: async () => (await import("./eval.js")).evalCommand,
};

const exitCodes: Record<ErrorCode, number> = {
  "bad-request": 2,
  "bad-file": 2,
  "bad-checkpoint": 2,
  unsupported: 2,
  network: 1,
  disk: 1,
  internal: 1,
};

const stopCodes = { SIGINT: 130, SIGTERM: 143 } as const;
type StopSignal = keyof typeof stopCodes;

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0); // whoever read our output has left
  say(`the output could not be written: ${error.message}`);
  process.exit(1);
});
process.stderr.on("error", () => {}); // nobody is there to be told
process.on("uncaughtException", (error) => process.exit(explain(error)));
process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  const [name] = words;
  const stop = new AbortController();
  let stoppedBy: StopSignal = "SIGINT";
  let patience = 2;
  for (const signal of Object.keys(stopCodes) as StopSignal[])
    process.on(signal, () => {
      // The work ends within a step; whoever asks twice, or waits too long for a model to load, is let go at once.
      if (stop.signal.aborted) letGo(signal);
      stoppedBy = signal;
      stop.abort();
      setInterval(() => letGo(signal), 1000 * patience).unref();
    });

  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    process.stdout.write(await overview());
    return name === undefined ? 2 : 0;
  }
  if (name === "--version" || name === "-v") {
    process.stdout.write(`${software}\n`);
    return 0;
  }
  const names = Object.keys(commands);
  const found = names.find((each) => each === words.slice(0, each.split(" ").length).join(" "));
  if (found === undefined) {
    const group = names.filter((each) => each.startsWith(`${name} `));
    const known = (group.length > 0 ? group : names).join(", ");
    const asked = words.slice(0, group.length > 0 && words[1]?.startsWith("-") === false ? 2 : 1).join(" ");
    say(`there is no command "${asked}": ${known}; see 'hocket --help'`);
    return 2;
  }
  const command = await commands[found]!();
  patience = command.patience ?? patience;
  const args = words.slice(command.name.split(" ").length);
  if (args.includes("--help") || args.includes("-h")) {
    process.stdout.write(helpFor(command));
    return 0;
  }
  try {
    await command.run(parseCommand(command, args), stop.signal);
    return 0;
  } catch (error) {
    if (!stop.signal.aborted) return explain(error);
    say("stopped");
    return stopCodes[stoppedBy];
  }
}

/** Says what went wrong in one line; returns the exit code. */
function explain(error: unknown): number {
  if (process.env.HOCKET_DEBUG !== undefined) console.error(error);
  if (error instanceof HocketError) {
    say(error.message);
    return exitCodes[error.code];
  }
  const what = error instanceof Error ? error.message : error;
  say(`an error that Hocket did not expect: ${what}. Set HOCKET_DEBUG=1 to see where`);
  return 1;
}

/** Ends as a process without a handler would: at once, whatever native code is at work. Files are still finished. */
function letGo(signal: StopSignal): void {
  if (isSaving()) return;
  say("stopped");
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

async function overview(): Promise<string> {
  const all = await Promise.all(Object.values(commands).map((load) => load()));
  const width = Math.max(...all.map((each) => each.name.length));
  const lines = all.map((each) => `  ${each.name.padEnd(width)}  ${each.summary}`);
  return `${software}: music from words, in TypeScript\n\n${lines.join("\n")}\n\n'hocket COMMAND --help' shows what a command can be told.\n`;
}
