/**
 * @file What people might write to ask for a score: captions in five registers with anything left out, and prompts that
 * state exactly what is asked for (data.md §7.4). All of it is true of the score.
 */

import type { Info } from "../data/manifest.js";
import { choose, type Draw, drawsOf, shuffled } from "./draw.js";
import { type Facts, factsOf, keyName, type Mood } from "./facts.js";
import { noisy } from "./noise.js";
import { filled, fillTemplate, statable, tidy, type Voice } from "./say.js";
import type { Family, Mode, Score } from "./score.js";
import { type Register, registers, type Slot, slots, type Template, templates } from "./templates.js";
import { moodNames, styleNames } from "./words.js";

export interface Captions {
  readonly caption: string;
  /** Four more, each in another register. */
  readonly others: readonly string[];
  readonly info: Info;
  readonly mood: Mood;
}

export interface Wording {
  /** Patterns and words that training never sees. */
  readonly heldOut?: boolean;
  /** Typing errors, capitals and full stops as they come (noise.ts): where nothing is said, in training's words only. */
  readonly slips?: boolean;
}

/** The captions of `score`, each in a register of its own. The same seed gives the same captions. */
export function captionsOf(score: Score, seed: number, wording: Wording = {}): Captions {
  const facts = factsOf(score);
  const all = shuffled(registers, drawsOf(seed), "registers").map(
    (register, i) => caption(facts, drawsOf(seed, i + 1), { register, ...wording }).text,
  );
  return { caption: all[0]!, others: all.slice(1), info: infoOf(facts, all[0]!), mood: facts.mood! };
}

/** One caption, and what it states. */
export function caption(
  facts: Facts,
  draw: Draw,
  { heldOut = false, slips = !heldOut, register }: Wording & { register?: Register } = {},
): { text: string; stated: ReadonlySet<Slot> } {
  const known = statable(facts).filter((slot) => worthSaying(slot, facts, draw));
  const template = choose(
    templates.filter(
      (one) =>
        one.held === heldOut &&
        (register === undefined || one.register === register) &&
        one.required.every((slot) => known.includes(slot)),
    ),
    draw("template"),
  );
  const dropped = 0.3 + 0.2 * draw("how much is left out");
  const voice = { draw, held: heldOut };
  const said = fillTemplate(
    template,
    facts,
    voice,
    (asked, place) => asked.every((slot) => known.includes(slot)) && draw(`keep${place}`) >= dropped,
  );
  const more = known.filter((slot) => !said.stated.has(slot) && slot !== "form" && slot !== "occasion");
  const alone = said.stated.size === 0;
  const tail = more.length > 0 && (alone || draw("tail") < 0.15) ? [choose(more, draw("which tail"))] : [];
  const text = append(said.text, tail, facts, voice);
  return { text: slips ? noisy(text, draw) : text, stated: new Set([...said.stated, ...tail]) };
}

/** What a prompt is to ask for. */
export interface Attributes {
  readonly style?: string;
  readonly bpm?: number;
  readonly key?: number;
  readonly mode?: Mode;
  readonly drums?: boolean;
  readonly lead?: Family;
  readonly band?: readonly Family[];
  readonly mood?: Mood;
}

/**
 * A prompt that asks for all of `attributes` and nothing else: the tempo as a number, a word or both, as the seed has it.
 * The wording depends on the seed and on which attributes there are, not on their values: two prompts of one seed that
 * differ in a value differ in its words alone.
 */
export function promptFor(attributes: Attributes, seed: number, { heldOut = false }: Wording = {}): string {
  const draw = drawsOf(seed);
  const { lead, band, ...rest } = attributes;
  const facts: Facts = {
    ...rest,
    ...(lead && { lead: { family: lead } }),
    ...(band && { band: band.map((family) => ({ family })) }),
  };
  const tempo = choose<readonly Slot[]>([["bpm"], ["pace"], ["bpm", "pace"]], draw("tempo"));
  const wanted = statable(facts).filter(
    (slot) => slot !== "occasion" && ((slot !== "bpm" && slot !== "pace") || tempo.includes(slot)),
  );
  const missing = (template: Template) => wanted.filter((slot) => !template.slots.has(slot)).length;
  const usable = templates.filter(
    ({ held, required }) => held === heldOut && required.every((slot) => wanted.includes(slot)),
  );
  const least = Math.min(...usable.map(missing));
  // A little less than all may be missing, and is appended: otherwise few patterns would ever be used.
  const template = choose(
    usable.filter((one) => missing(one) <= Math.max(1, least)),
    draw("template"),
  );
  const voice = { draw, held: heldOut };
  const said = fillTemplate(template, facts, voice, (asked) => asked.every((slot) => wanted.includes(slot)));
  return append(
    said.text,
    wanted.filter((slot) => !said.stated.has(slot)),
    facts,
    voice,
  );
}

/** Two prompts of the same words, except for those that say what `change` changes (data.md §6.2, the swap test). */
export const swapped = (
  attributes: Attributes,
  change: Attributes,
  seed: number,
  wording: Wording = {},
): readonly [string, string] => [
  promptFor(attributes, seed, wording),
  promptFor({ ...attributes, ...change }, seed, wording),
];

// --- internal ---

/** What is true of nearly everything is seldom said. */
function worthSaying(slot: Slot, { metre, density }: Facts, draw: Draw): boolean {
  if (slot === "metre" && metre === "4/4") return draw("say 4/4") < 0.15;
  if (slot === "density" && density !== undefined) return draw("say density") < 0.7;
  return slots.includes(slot);
}

/** `text` with further tags before its full stop. */
function append(text: string, more: readonly Slot[], facts: Facts, voice: Voice): string {
  if (more.length === 0) return text;
  const tags = more.map((slot) => filled(slot, facts, voice)).join(", ");
  if (text === "") return tags;
  const [, body, end] = /^(.*?)([.?]?)$/s.exec(text)!;
  return tidy(`${body}, ${tags}${end}`);
}

function infoOf(facts: Facts, description: string): Info {
  const { style, bpm, key, mode, mood, lead, band, drums, metre, sound } = facts;
  const players = [lead, ...(band ?? [])].flatMap((one) => (one === undefined ? [] : [one.family as string]));
  const moods = mood && moodNames[level(mood.energy)]![level(mood.valence)]!.trained.slice(0, 2);
  return {
    title: null,
    artist: null,
    key: key === undefined || mode === undefined ? null : `${keyName(key, mode)} ${mode}`,
    bpm: bpm === undefined ? null : Math.round(bpm),
    genre: style === undefined ? null : (styleNames[style]?.trained[0] ?? style),
    moods: moods ?? null,
    keywords: [
      ...(drums === undefined ? [] : [drums ? "drums" : "no drums"]),
      ...(metre === undefined || metre === "4/4" ? [] : [metre]),
      ...(sound?.includes("lofi") ? ["lo-fi"] : []),
      ...(sound?.includes("hall") ? ["reverb"] : []),
    ],
    description,
    instrument: [...new Set([...players, ...(drums ? ["drums"] : [])])].join(", ") || null,
  };
}

const level = (x: number): number => Math.min(4, Math.floor(5 * x));
