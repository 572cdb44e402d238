/** @file Every take there is: fetched from the server, which keeps them; changed here and there alike. */

import { computed, effect, signal, untracked } from "@preact/signals";
import type { Generation, GenerationPatch } from "../../../src/server/client.js";
import { client, line, messageOf, noteLoss } from "./server.js";
import { say } from "./words.js";

/** By id. */
export const takes = signal<ReadonlyMap<string, Generation>>(new Map());
/** Whether the server's list was seen. */
export const listed = signal(false);

/** The newest first. */
export const newest = computed(() =>
  [...takes.value.values()].sort((a, b) => (a.created_at < b.created_at ? 1 : a.created_at > b.created_at ? -1 : 0)),
);
export const underway = computed(() =>
  newest.value.filter(({ state }) => state === "running" || state === "queued").reverse(),
);

export const takeOf = (id: string | undefined): Generation | undefined =>
  id === undefined ? undefined : takes.value.get(id);

export function putTake(take: Generation): void {
  takes.value = new Map(untracked(() => takes.value)).set(take.id, take);
}

export function dropTake(id: string): void {
  const left = new Map(untracked(() => takes.value));
  left.delete(id);
  takes.value = left;
}

/** What people call it: its title, or else its words. */
export const nameOf = (take: Generation): string => take.title || take.pieces[0]?.prompt.trim() || "Without words";

export const secondsOf = (take: Generation): number =>
  take.pieces[0]?.seconds ?? Number(take.settings?.duration ?? take.request.duration ?? askedFor(take));

/** Shown at once, and taken back where the server refuses. */
export async function changeTake(id: string, change: GenerationPatch): Promise<void> {
  const before = takeOf(id);
  if (before === undefined) return;
  putTake({ ...before, ...change });
  try {
    putTake(await client.update(id, change));
  } catch (error) {
    putTake(before);
    noteLoss(error);
    say(messageOf(error));
  }
}

export async function removeTake(id: string): Promise<void> {
  try {
    await client.remove(id);
    dropTake(id);
  } catch (error) {
    noteLoss(error);
    say(messageOf(error));
  }
}

export async function cancelTake(id: string): Promise<void> {
  try {
    putTake(await client.cancel(id));
  } catch (error) {
    noteLoss(error);
    say(messageOf(error));
  }
}

export async function fetchTakes(): Promise<void> {
  try {
    const all = new Map<string, Generation>();
    for await (const take of client.all({ limit: 100 })) all.set(take.id, take);
    takes.value = all;
    listed.value = true;
  } catch (error) {
    noteLoss(error);
  }
}

// --- internal ---

/** Seconds, of one whose request says them in another way, until it has begun. */
function askedFor({ request }: Generation): number {
  const sections = (request.sections ?? []) as readonly { readonly duration: number }[];
  const source = takeOf((request.regenerate as { readonly generation: string } | undefined)?.generation);
  return source === undefined ? sections.reduce((sum, { duration }) => sum + duration, 0) : secondsOf(source);
}

effect(() => {
  if (line.value === "open") void fetchTakes();
});
globalThis.addEventListener?.("focus", () => line.peek() === "open" && void fetchTakes());
