/** @file `hocket data make`: composes, plays, describes and stores music to learn from. */

import { availableParallelism } from "node:os";
import { HocketError } from "../errors.js";
import { findFonts } from "../recipe/fonts.js";
import { type MakeOptions, make } from "../recipe/make.js";
import type { Command, Given } from "./command.js";
import { clear, megabytes, progress, say, wrote } from "./report.js";

export const dataMakeCommand: Command = {
  name: "data make",
  summary: "compose and render clips with captions and labels, from numbers alone",
  options: {
    recipe: { kind: "text", choices: ["synth"], help: "how they are made; default: synth" },
    hours: { kind: "number", value: "H", help: "of music, all together; or --clips" },
    clips: { kind: "number", value: "N", help: "how many" },
    out: { kind: "text", short: "o", value: "DIR", help: "the folder: data.jsonl, audio/, recipe.json, DATA-LICENCES" },
    seconds: { kind: "number", value: "S", help: "of each clip, 1 to 60; default: 10" },
    seed: { kind: "number", value: "N", help: "0 to 1048575; the same one gives the same bytes; default: 0" },
    split: {
      kind: "text",
      value: "A/B/C",
      help: "percentages for training, validation and tests; default: 96/2/2",
    },
    font: { kind: "text", value: "FILE", many: true, help: "another SoundFont to play with (sf2 or sf3)" },
    "font-alone": { kind: "flag", help: "play with the fonts given by --font and no others" },
    stereo: { kind: "flag", help: "two channels instead of one" },
    threads: { kind: "number", value: "N", help: "clips made at a time; default: one a processor core" },
    resume: { kind: "flag", help: "go on with what is in the folder" },
    json: { kind: "flag", help: "print one line of JSON with what was made" },
  },
  examples: [
    "hocket data make --recipe synth --hours 20 --out data/synth",
    "hocket data make --clips 36 --seconds 10 --out data/tiny --seed 7",
  ],
  run,
};

async function run(given: Given, signal: AbortSignal): Promise<void> {
  const options = await optionsOf(given);
  const startedAt = performance.now();
  let first: number | undefined;
  try {
    for await (const event of make(options, signal)) {
      if (event.type === "plan") {
        first = event.done;
        const before = event.done > 0 ? `${event.done} of ${event.clips} clips are there; ` : "";
        say(
          `${options.folder}: ${before}${event.clips - event.done} clips of ${options.seconds} s to make, about ${megabytes(event.bytes)} (${megabytes(event.free)} free)`,
        );
      } else if (event.type === "clip") {
        const seconds = (performance.now() - startedAt) / 1000;
        const made = event.done - first!;
        const left = (seconds / made) * (event.clips - event.done);
        const speed = (made * options.seconds) / seconds;
        progress(
          `${event.done} of ${event.clips} clips, ${speed.toFixed(1)} times real time, ${clockTime(left)} to go`,
        );
      } else if (event.type === "done") {
        const { train, valid, test } = event.counts;
        const hours = (event.clips * options.seconds) / 3600;
        const made = { folder: options.folder, clips: event.clips, hours, ...event.counts };
        if (given.flag("json")) process.stdout.write(`${JSON.stringify(made)}\n`);
        else
          wrote(
            options.folder,
            `${event.clips} clips, ${hours.toFixed(2)} h: ${train} to train, ${valid} to validate, ${test} to test`,
          );
      }
    }
  } finally {
    clear();
    if (signal.aborted) say(`${options.folder} keeps what was made: go on with --resume`);
  }
}

// --- internal ---

/** @throws HocketError "bad-request" */
async function optionsOf(given: Given): Promise<MakeOptions> {
  const folder = given.text("out");
  if (folder === undefined) throw wrong("--out: name the folder to write");
  const seconds = within("seconds", given.number("seconds") ?? 10, 1, 60);
  if (!Number.isInteger(seconds * 100)) throw wrong(`--seconds: ${seconds} is too exact: hundredths at most`);
  const [hours, clips] = [given.number("hours"), given.number("clips")];
  if ((hours === undefined) === (clips === undefined)) throw wrong("give either --hours or --clips");
  const count = clips ?? Math.ceil(within("hours", hours!, 0.001, 10_000) * (3600 / seconds));
  return {
    folder,
    clips: whole("clips", count, 1, 1e6),
    seconds,
    seed: whole("seed", given.number("seed") ?? 0, 0, 2 ** 20 - 1),
    shares: sharesOf(given.text("split") ?? "96/2/2"),
    fonts: await fontsOf(given),
    channels: given.flag("stereo") ? 2 : 1,
    threads: whole("threads", given.number("threads") ?? availableParallelism(), 1, 256),
    resume: given.flag("resume"),
  };
}

function fontsOf(given: Given) {
  const files = given.texts("font");
  const alone = given.flag("font-alone");
  if (alone && files.length === 0) throw wrong("--font-alone: name the fonts with --font");
  return findFonts(files, alone);
}

function sharesOf(text: string): MakeOptions["shares"] {
  const numbers = text.split("/").map((part) => (/^\d+(\.\d+)?$/.test(part) ? Number(part) : Number.NaN));
  const [train, valid, test] = numbers;
  if (numbers.length !== 3 || Math.abs(train! + valid! + test! - 100) > 1e-6 || !(train! > 0))
    throw wrong(`--split: "${text}" is not three percentages that make 100, such as 96/2/2`);
  return [train! / 100, valid! / 100, test! / 100];
}

function within(option: string, value: number, low: number, high: number): number {
  if (!(value >= low && value <= high)) throw wrong(`--${option}: ${value} is not between ${low} and ${high}`);
  return value;
}

function whole(option: string, value: number, low: number, high: number): number {
  if (!Number.isInteger(value)) throw wrong(`--${option}: ${value} is not a whole number`);
  return within(option, value, low, high);
}

const wrong = (what: string): HocketError => new HocketError("bad-request", `${what}; see 'hocket data make --help'`);

const clockTime = (seconds: number): string =>
  seconds < 90
    ? `${Math.ceil(seconds)} s`
    : seconds < 5400
      ? `${Math.ceil(seconds / 60)} min`
      : `${(seconds / 3600).toFixed(1)} h`;
