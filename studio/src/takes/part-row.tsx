/** @file The chosen part of a take, in numbers, for those who do not drag; and playing it over and over. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { player } from "../sound/player.js";
import type { Track } from "../sound/track.js";
import { Icon } from "../ui/icons.js";
import { part } from "./wave.js";

export function PartRow({ track }: { readonly track: Track }) {
  const looped = useSignal(false);
  const chosen = part.value;
  useEffect(() => {
    if (player.track.peek() === track) player.loop = looped.value ? part.value : undefined;
    return () => {
      player.loop = undefined;
    };
  }, [looped.value, chosen, track]);
  if (chosen === undefined)
    return (
      <p class="part">
        <button
          type="button"
          class="link"
          onClick={() => {
            part.value = { start: round(track.seconds / 4), end: round((3 * track.seconds) / 4) };
          }}
        >
          Choose a part
        </button>{" "}
        <small>or drag over the waveform</small>
      </p>
    );
  const set = (which: "start" | "end", text: string) => {
    const value = Number(text.replace(",", "."));
    if (!Number.isFinite(value)) return;
    const next = { ...chosen, [which]: Math.max(0, Math.min(track.seconds, value)) };
    if (next.end - next.start >= 0.05) part.value = next;
  };
  return (
    <p class="part">
      Part from <Edge label="Start of the part" value={chosen.start} onChange={(text) => set("start", text)} /> to{" "}
      <Edge label="End of the part" value={chosen.end} onChange={(text) => set("end", text)} /> s
      <button
        type="button"
        class="quiet"
        aria-label="Over and over"
        title="Over and over"
        aria-pressed={looped.value}
        onClick={() => {
          looped.value = !looped.value;
          if (!looped.value) return;
          player.load(track);
          player.loop = chosen;
          player.seek(chosen.start);
          player.play();
        }}
      >
        <Icon name="loop" />
      </button>
      <button
        type="button"
        class="quiet"
        aria-label="Choose nothing"
        title="Choose nothing"
        onClick={() => {
          part.value = undefined;
        }}
      >
        <Icon name="close" />
      </button>
    </p>
  );
}

// --- internal ---

const round = (seconds: number): number => Math.round(10 * seconds) / 10;

function Edge(props: { readonly label: string; readonly value: number; readonly onChange: (text: string) => void }) {
  return (
    <input
      class="edge"
      inputMode="decimal"
      aria-label={props.label}
      value={props.value.toFixed(2)}
      onChange={({ currentTarget }) => {
        props.onChange(currentTarget.value);
        currentTarget.value = props.value.toFixed(2);
      }}
    />
  );
}
