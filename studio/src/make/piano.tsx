/** @file A small piano: two octaves under the fingers or the computer's keys; what is played becomes the tune. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { pitchClasses } from "../figures/chroma.js";
import { type Note, played, tone, wavOf } from "../sound/tune.js";
import { change, tune } from "../state/draft.js";

const count = 24;
const lowest = 60; // MIDI, middle C
const letters = "awsedftgyhujkolp";
/** Seconds of silence after which the tune is taken. */
const rest = 0.7;

const pitchOf = (key: number): number => 440 * 2 ** ((lowest + key - 69) / 12);
const nameOf = (key: number): string => `${pitchClasses[key % 12]}${4 + Math.floor(key / 12)}`;
const isBlack = (key: number): boolean => pitchClasses[key % 12]!.endsWith("♯");

export function Piano() {
  const down = useSignal<ReadonlySet<number>>(new Set());
  const state = useRef<{
    context?: AudioContext;
    from: number;
    notes: Note[];
    held: Map<number, () => void>;
    timer?: number;
  }>({
    from: 0,
    notes: [],
    held: new Map(),
  });

  const press = (key: number) => {
    const now = state.current;
    if (now.held.has(key)) return;
    now.context ??= new AudioContext();
    const { context, notes } = now;
    void context.resume();
    clearTimeout(now.timer);
    if (notes.length === 0) now.from = context.currentTime;
    const start = context.currentTime - now.from;
    const stop = tone(context, context.destination, pitchOf(key), context.currentTime);
    now.held.set(key, () => {
      stop();
      notes.push({ pitch: pitchOf(key), start, end: context.currentTime - now.from });
    });
    down.value = new Set([...now.held.keys()]);
  };
  const release = (key: number) => {
    const now = state.current;
    now.held.get(key)?.();
    if (!now.held.delete(key)) return;
    down.value = new Set([...now.held.keys()]);
    clearTimeout(now.timer);
    now.timer = window.setTimeout(() => void take(now.notes), 1000 * rest);
  };
  const take = async (notes: readonly Note[]) => {
    if (state.current.held.size > 0 || notes.length === 0) return;
    tune.value = { blob: wavOf(await played(notes)), name: `played, ${notes.length} notes` };
    change({ melody: undefined });
  };
  useEffect(
    () => () => {
      clearTimeout(state.current.timer);
      void state.current.context?.close();
    },
    [],
  );

  const fromLetter = (letter: string) => letters.indexOf(letter.toLowerCase());
  return (
    <div class="piano-box">
      <fieldset
        class="piano"
        aria-label="Piano: the letters A to P play it"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it is played with letters
        tabIndex={0}
        onKeyDown={(event) => {
          const key = event.key.length === 1 ? fromLetter(event.key) : -1;
          if (key < 0 || event.ctrlKey || event.metaKey) return;
          event.preventDefault();
          if (!event.repeat) press(key);
        }}
        onKeyUp={(event) => event.key.length === 1 && release(fromLetter(event.key))}
        onBlur={() => [...state.current.held.keys()].forEach(release)}
      >
        {Array.from({ length: count }, (_, key) => (
          <button
            key={key}
            type="button"
            tabIndex={-1}
            class={`${isBlack(key) ? "black" : "white"}${down.value.has(key) ? " down" : ""}`}
            aria-label={nameOf(key)}
            onPointerDown={() => press(key)}
            onPointerUp={() => release(key)}
            onPointerLeave={() => release(key)}
          >
            <small>{letters[key] ?? ""}</small>
          </button>
        ))}
      </fieldset>
      <button
        type="button"
        class="link"
        onClick={() => {
          state.current.notes = [];
          tune.value = undefined;
        }}
      >
        Begin anew
      </button>
    </div>
  );
}
