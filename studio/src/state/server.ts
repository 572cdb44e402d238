/** @file The server as the page sees it: whether it answers, whether it lets us in, and what models it has. */

import { computed, signal } from "@preact/signals";
import {
  ApiError,
  HocketClient,
  type ModelList,
  type ModelResource,
  type PullResource,
} from "../../../src/server/client.js";

export const client = new HocketClient();

/** "lost": it does not answer; "locked": it wants a token first. */
export type Line = "connecting" | "open" | "lost" | "locked";
export const line = signal<Line>("connecting");

export const models = signal<readonly ModelResource[]>([]);
/** Models on their way. */
export const pulls = signal<readonly PullResource[]>([]);
/** Published ones that are not there, and the machine's memory; undefined until the server has said it. */
export const offers = signal<ModelList["offers"]>([]);
export const memory = signal<ModelList["memory"]>(null);
export const musicModels = computed(() => models.value.filter(({ kind }) => kind === "music"));

export const modelNamed = (name: string | undefined): ModelResource | undefined =>
  musicModels.value.find((model) => (name === undefined ? model.default : model.name === name));

/** Begins to watch the server, and never stops. A token in the address is exchanged for a cookie, and taken out of it. */
export async function connect(): Promise<void> {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token !== null) {
    history.replaceState(null, "", location.pathname);
    await signIn(token).catch(() => {});
  }
  for (;;) {
    if (document.visibilityState === "visible") await look();
    await pause(line.value === "open" ? 4000 : 1200);
  }
}

/** @throws ApiError where it is not the right one */
export async function signIn(token: string): Promise<void> {
  await new HocketClient({ token }).signIn();
  await enter();
}

export async function fetchModels(): Promise<void> {
  const list = await client.models();
  models.value = list.data;
  pulls.value = list.pulls;
  offers.value = list.offers;
  memory.value = list.memory;
}

/** Notes that a request went wrong because nobody answered. @returns whether that is why */
export function noteLoss(error: unknown): boolean {
  if (isRefusal(error)) line.value = "locked";
  if (error instanceof ApiError) return isRefusal(error);
  const lost = error instanceof TypeError; // what fetch throws where no answer came
  if (lost) line.value = "lost";
  return lost;
}

/** Whether the server knows us not. */
export const isRefusal = (error: unknown): boolean => error instanceof ApiError && error.status === 401;

/** A sentence for people. */
export const messageOf = (error: unknown): string => {
  if (!(error instanceof ApiError))
    return error instanceof TypeError ? "The server does not answer." : `${(error as Error).message}`;
  const wait = error.retryAfter === undefined ? "" : ` Try again in ${error.retryAfter} s.`;
  return `${capital(error.message)}.${wait}`.replace("..", ".");
};

// --- internal ---

async function look(): Promise<void> {
  try {
    await fetch("/health", { cache: "no-store", signal: AbortSignal.timeout(15_000) });
    if (line.value !== "open" && line.value !== "locked") await enter();
  } catch {
    if (line.value !== "locked") line.value = "lost";
  }
}

async function enter(): Promise<void> {
  try {
    await fetchModels();
    line.value = "open";
  } catch (error) {
    if (!noteLoss(error)) throw error;
  }
}

const pause = (milliseconds: number) =>
  new Promise<void>((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", wake);
      resolve();
    };
    const timer = setTimeout(wake, milliseconds);
    document.addEventListener("visibilitychange", wake);
  });

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
