/** @file Which of a take's pieces is looked at, where there are several: variations and prompts of one order. */

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Generation } from "../../../src/server/client.js";
import { player } from "../sound/player.js";
import type { Track } from "../sound/track.js";
import { musicOf } from "../state/music.js";

const chosen = signal<ReadonlyMap<string, number>>(new Map());

export const pieceOf = (take: Generation): number =>
  Math.min(chosen.value.get(take.id) ?? 0, Math.max(0, take.pieces.length - 1));

export function choosePiece(take: Generation, piece: number): void {
  chosen.value = new Map(chosen.value).set(take.id, piece);
}

/** Takes up a piece, from its beginning, and plays it. */
export function playPiece(take: Generation, piece: number): void {
  const track = musicOf(take.id).tracks[piece];
  if (track === undefined) return;
  player.load(track);
  player.play();
}

/** Lets the space bar play what is looked at, where nothing else is playing. */
export function useAtHand(track: Track | undefined): void {
  useEffect(() => {
    if (track !== undefined && player.state.peek() === "still") player.load(track);
  }, [track]);
}

export function Pieces({ take }: { readonly take: Generation }) {
  if (take.pieces.length < 2) return null;
  const now = pieceOf(take);
  return (
    <fieldset class="pieces">
      <legend>Piece</legend>
      {take.pieces.map(({ index, seed }) => (
        <button
          key={index}
          type="button"
          aria-pressed={index === now}
          title={`Seed ${seed}`}
          onClick={() => {
            choosePiece(take, index);
            if (player.state.peek() === "playing") playPiece(take, index);
          }}
        >
          {index + 1}
        </button>
      ))}
    </fieldset>
  );
}
