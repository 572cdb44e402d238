/** @file On the command line: words that change along a piece, and a part of a take that is composed anew. */

import type { Codes } from "../codes.js";
import { readCodes } from "../codes-file.js";
import { HocketError } from "../errors.js";
import { GenerateRequest, Region } from "../request.js";
import type { Given, Option } from "./command.js";
import { openInput } from "./input.js";
import { readSound } from "./sound-files.js";

const asked = GenerateRequest.shape;
const number = (field: keyof typeof Region.shape, value: string): Option => ({
  kind: "number",
  value,
  help: Region.shape[field].description!,
});

export const sectionOption: Option = {
  kind: "text",
  value: "PROMPT:SECONDS",
  many: true,
  help: `${asked.sections.description}; once for each, in order`,
};

export const regionOptions: Readonly<Record<string, Option>> = {
  regenerate: {
    kind: "text",
    value: "FILE",
    help: `${asked.regenerate.description}: its codes (see --codes), or a sound file, which is encoded first`,
  },
  from: number("from", "SECONDS"),
  to: number("to", "SECONDS"),
  candidates: number("candidates", "N"),
};

/** Undefined where there are none. @throws HocketError "bad-request" for one that says no seconds */
export function sectionsFrom(given: Given) {
  const sections = given.texts("section").map((text) => {
    const [, prompt, seconds] = /^(.*):\s*(\S+?)\s*s?$/s.exec(text) ?? [];
    if (prompt !== undefined && !Number.isNaN(Number(seconds))) return { prompt, duration: Number(seconds) };
    throw new HocketError(
      "bad-request",
      `--section: "${text}" has to end in a colon and its seconds, as "slow piano:8" does`,
    );
  });
  return sections.length === 0 ? undefined : sections;
}

/** What is composed anew, with the sample rate that a codes file states. @throws HocketError for what is no take */
export async function regionFrom(given: Given): Promise<Pick<GenerateRequest, "regenerate"> & { sampleRate?: string }> {
  const path = given.text("regenerate");
  const [from, to, candidates] = ["from", "to", "candidates"].map((name) => given.number(name));
  if (path === undefined) {
    const alone = ["from", "to", "candidates"].find((name) => given.number(name) !== undefined);
    if (alone === undefined) return {};
    throw new HocketError("bad-request", `--${alone} belongs to --regenerate: name the take`);
  }
  if (from === undefined || to === undefined)
    throw new HocketError("bad-request", "--regenerate: say --from and --to, the part's seconds");
  const part = { from, to, ...(candidates === undefined ? {} : { candidates }) };
  if (!path.endsWith(".safetensors")) return { regenerate: { ...part, take: await readSound(path) } };
  const { take, metadata } = await takeFrom(path);
  const { sample_rate } = metadata;
  return { regenerate: { ...part, take }, ...(sample_rate === undefined ? {} : { sampleRate: sample_rate }) };
}

// --- internal ---

async function takeFrom(path: string): Promise<{ take: Codes; metadata: Readonly<Record<string, string>> }> {
  const file = await openInput(path);
  const { chunks, metadata } = await readCodes(file, path).finally(() => file.close());
  const [take, more] = chunks[0]!.codes;
  if (chunks.length === 1 && take !== undefined && more === undefined) return { take, metadata };
  throw new HocketError("bad-request", `${path} holds more than one piece: give the codes of one`);
}
