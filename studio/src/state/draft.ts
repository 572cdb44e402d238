/** @file What is to be made next. It is kept in the browser, so that a reload loses no word. */

import { computed, effect, signal } from "@preact/signals";
import type { Generation } from "../../../src/server/client.js";
import { models } from "./server.js";

/** A sound of a take that the next one follows or goes on from. */
export interface Source {
  readonly generation: string;
  readonly piece: number;
  readonly start?: number;
  readonly end?: number;
}

/** Words for a part of the next take. */
export interface Section {
  readonly prompt: string;
  /** Seconds. */
  readonly duration: number;
}

/** A part of a take that is composed anew. */
export interface Region extends Source {
  readonly start: number;
  readonly end: number;
}

export interface Draft {
  readonly prompt: string;
  readonly duration: number;
  readonly seed: number;
  readonly lockSeed: boolean;
  readonly variations: number;
  /** Left out: the server's own. */
  readonly model?: string | undefined;
  /** Left out: the model's own. */
  readonly guidance?: number | undefined;
  readonly temperature?: number | undefined;
  readonly topK?: number | undefined;
  /** In place of prompt and duration: words that change along the take. */
  readonly sections?: readonly Section[] | undefined;
  /** In place of a duration: the take stays as it is but for this. */
  readonly region?: Region | undefined;
  readonly intro?: Source | undefined;
  readonly melody?: Source | undefined;
  readonly parent?: string | undefined;
  readonly relation?: NonNullable<Generation["relation"]> | undefined;
}

export const anySeed = (): number => crypto.getRandomValues(new Uint32Array(1))[0]! % 1_000_000;

/** What it is kept as. */
const key = "hocket.draft";

export const draft = signal<Draft>(recall());
export const change = (change: Partial<Draft>): void => {
  draft.value = { ...draft.value, ...change };
};

/** A tune from outside: a file, a recording, or what was played on the keys. It is not kept. */
export interface Tune {
  readonly blob: Blob;
  readonly name: string;
}
export const tune = signal<Tune | undefined>(undefined);

/** The model that will compose, and what it would take where the draft says nothing. */
export const chosenModel = computed(() => {
  const music = models.value.filter(({ kind }) => kind === "music");
  return music.find(({ name }) => name === draft.value.model) ?? music.find((each) => each.default) ?? music[0];
});

export const defaultsOf = (field: "guidance" | "temperature" | "top_k"): number =>
  chosenModel.value?.defaults?.[field] ?? { guidance: 3, temperature: 1, top_k: 250 }[field];

/** The words that change along a take, if they do. */
export const sectionsOf = ({ request }: Generation): readonly Section[] | undefined =>
  request.sections as readonly Section[] | undefined;

/** Of a request, what is composed anew. */
export function regionOf(region: unknown): Region | undefined {
  if (typeof region !== "object" || region === null) return undefined;
  const { generation, piece = 0, from, to } = region as Record<string, unknown>;
  return { generation: `${generation}`, piece: Number(piece), start: Number(from), end: Number(to) };
}

/** The words under which a take was composed at this second. */
export function wordsAt(take: Generation, second: number): string {
  let end = 0;
  for (const { prompt, duration } of sectionsOf(take) ?? []) {
    end += duration;
    if (second < end) return prompt;
  }
  return sectionsOf(take)?.at(-1)?.prompt ?? take.pieces[0]?.prompt ?? "";
}

/** The settings of a take, to go on from. */
export function draftFrom(take: Generation): Partial<Draft> {
  const { request } = take;
  const number = (field: string) => (typeof request[field] === "number" ? (request[field] as number) : undefined);
  const sections = sectionsOf(take);
  return {
    prompt: sections?.[0]?.prompt ?? take.pieces[0]?.prompt ?? "",
    duration: number("duration") ?? 8,
    sections,
    region: regionOf(request.regenerate),
    seed: take.pieces[0]?.seed ?? anySeed(),
    variations: number("variations") ?? 1,
    model: take.model,
    guidance: number("guidance"),
    temperature: number("temperature"),
    topK: number("top_k"),
    intro: sourceOf(request.continue),
    melody: sourceOf(request.melody),
    parent: take.id,
  };
}

// --- internal ---

function recall(): Draft {
  const fresh: Draft = { prompt: "", duration: 4, seed: anySeed(), lockSeed: false, variations: 1 };
  try {
    return { ...fresh, ...(JSON.parse(localStorage.getItem(key) ?? "{}") as Partial<Draft>) };
  } catch {
    return fresh;
  }
}

function sourceOf(reference: unknown): Source | undefined {
  if (typeof reference !== "object" || reference === null) return undefined;
  const { generation, piece = 0, start, end, of } = reference as Record<string, unknown>;
  if (typeof generation !== "string" || (of !== undefined && of !== "result")) return undefined;
  return {
    generation,
    piece: Number(piece),
    ...(typeof start === "number" ? { start } : {}),
    ...(typeof end === "number" ? { end } : {}),
  };
}

effect(() => {
  const text = JSON.stringify(draft.value);
  try {
    localStorage.setItem(key, text);
  } catch {} // a browser that keeps nothing: the draft lasts as long as the page
});
