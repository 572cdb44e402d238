/** @file Short sentences to the person: shown for a while, and read out by screen readers. */

import { signal } from "@preact/signals";

export const said = signal("");

export function say(sentence: string): void {
  clearTimeout(timer);
  said.value = sentence;
  timer = setTimeout(() => {
    said.value = "";
  }, 7000);
}

// --- internal ---

let timer: ReturnType<typeof setTimeout> | undefined;
