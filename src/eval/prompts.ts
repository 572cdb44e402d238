/**
 * @file What a model is asked for: prompts that state what is true of held-out clips, balanced over what they state, half
 * of them in words that training never saw; and pairs that differ in one word (data.md §6.2).
 */

import { type Attributes, promptFor, swapped } from "../recipe/captions.js";
import type { Clip } from "./clips.js";
import type { Judged } from "./judges.js";
import { answersOf, mergedFamily, questions, type Truth, truthOf } from "./truth.js";

export interface Asked {
  readonly prompt: string;
  readonly seed: number;
  readonly truth: Truth;
  /** Whether it is put in words that training never saw. */
  readonly heldOut: boolean;
  /** The clip that it describes. */
  readonly clip: Clip;
}

/** Prompts for `count` of the clips, or for all that are described well enough: those that are rare in what was chosen. */
export function choosePrompts(clips: readonly Clip[], count: number): Asked[] {
  const pool = clips
    .map((clip) => ({ clip, truth: truthOf(clip.entry) }))
    .filter(({ truth }) => truth.style !== undefined)
    .map((each) => ({
      ...each,
      said: Object.entries(answersOf(each.truth)).filter(([, value]) => value !== undefined),
    }));
  const asked: Asked[] = [];
  const times = new Map<string, number>();
  const name = ([question, answer]: [string, string | undefined]) => `${question} ${answer}`;
  while (asked.length < count && pool.length > 0) {
    const worth = pool.map(({ said }) => said.reduce((sum, each) => sum + 1 / (1 + (times.get(name(each)) ?? 0)), 0));
    const [{ clip, truth, said }] = pool.splice(worth.indexOf(Math.max(...worth)), 1) as [(typeof pool)[number]];
    for (const each of said) times.set(name(each), (times.get(name(each)) ?? 0) + 1);
    const seed = asked.length;
    const heldOut = seed % 2 === 1;
    asked.push({ prompt: promptFor(attributesOf(truth), seed, { heldOut }), seed, truth, heldOut, clip });
  }
  return asked;
}

/** Two prompts that differ in one word, to be composed with one seed; and whether what was heard moved the way asked. */
export interface Swap {
  readonly kind: keyof typeof changes;
  readonly prompts: readonly [string, string];
  readonly seed: number;
}

/** `count` pairs of each kind, out of what was asked for. */
export const swapsOf = (asked: readonly Asked[], count: number): Swap[] =>
  (Object.keys(changes) as Swap["kind"][]).flatMap((kind, k) =>
    Array.from({ length: Math.min(count, asked.length) }, (_, i) => {
      const { truth } = asked[(i * 7 + k) % asked.length]!;
      const seed = 1000 + i;
      const { from, to } = changes[kind];
      return { kind, seed, prompts: swapped({ ...attributesOf(truth), ...from }, to, seed) };
    }),
  );

/** Whether the second of a pair has more of what the first was not asked for. */
export const moved = ({ kind }: Swap, first: Judged, second: Judged): boolean =>
  changes[kind].measured(second) > changes[kind].measured(first);

// --- internal ---

const attributesOf = ({ style, bpm, mode, drums, lead }: Truth): Attributes => ({
  ...(style !== undefined && { style }),
  ...(bpm !== undefined && { bpm }),
  ...(mode !== undefined && { mode }),
  ...(drums !== undefined && { drums }),
  ...(lead !== undefined && { lead }),
});

/** How much more likely one answer is than another, to the classifier. */
const more =
  (question: string, answer: string, than: string) =>
  ({ likelihoods }: Judged): number => {
    const { answers } = questions.find(({ name }) => name === question)!;
    const row = likelihoods[question]!;
    return row[answers.indexOf(answer)]! - row[answers.indexOf(than)]!;
  };

const changes = {
  tempo: { from: { bpm: 90 }, to: { bpm: 140 }, measured: ({ verdict }: Judged) => verdict.bpm },
  drums: { from: { drums: false }, to: { drums: true }, measured: more("drums", "yes", "no") },
  mode: { from: { mode: "major" }, to: { mode: "minor" }, measured: more("mode", "minor", "major") },
  lead: {
    from: { lead: "piano" },
    to: { lead: "violin" },
    measured: more("lead", mergedFamily("violin"), mergedFamily("piano")),
  },
} as const satisfies Record<string, { from: Attributes; to: Attributes; measured: (judged: Judged) => number }>;
