/** @file The four voices of a take as a score, which follows what is heard or what is being composed. */

import { useRef } from "preact/hooks";
import type { Generation } from "../../../src/server/client.js";
import { palette } from "../figures/palette.js";
import { drawScore, pitchFor } from "../figures/score.js";
import { player } from "../sound/player.js";
import type { Music } from "../state/music.js";
import { secondsOf } from "../state/takes.js";
import { Canvas } from "./canvas.js";

export function Voices(props: {
  readonly take: Generation;
  readonly music: Music;
  readonly piece: number;
  /** Whether this is what the player plays. */
  readonly mine: boolean;
  readonly version: number;
}) {
  const { take, music, piece, mine, version } = props;
  const middle = useRef<number | undefined>(undefined);
  const moving = take.state === "running" || (mine && player.state.value === "playing");
  const when = `${take.id} ${take.state} ${piece} ${version} ${player.state.value} ${mine} ${mine && player.seeks.value}`;
  return (
    <div class="voices">
      <Canvas
        class="score"
        label={describe(take, music, piece)}
        when={when}
        draw={(ctx, width, height) => {
          const { sound } = take;
          const colours = palette.value;
          if (colours === undefined) return false;
          const codebooks = sound?.codebooks ?? 4;
          const codes = music.codes[piece] ?? [];
          const there = codes[0]?.length ?? 0;
          const columns = Math.max(there, Math.round(secondsOf(take) * (sound?.frame_rate ?? 50)));
          const playing = mine && (player.state.peek() === "playing" || player.position() > 0);
          const heard = playing ? player.position() * (sound?.frame_rate ?? 50) : undefined;
          const half = width / 2 / pitchFor(width, columns);
          const wanted = heard ?? (take.state === "running" ? there + 0.4 * half - half / 2 : 0);
          const aim = Math.max(half, Math.min(wanted, columns - half));
          const target = columns < 2 * half ? columns / 2 : aim;
          const from = middle.current ?? target;
          const far = Math.abs(target - from);
          middle.current = calm.matches || far > 4 * half ? target : from + (target - from) * 0.18;
          const bins = sound?.bins ?? 1;
          drawScore(ctx, width, height, { codes, codebooks, bins, columns, heard, middle: middle.current }, colours);
          return moving || far > 0.05;
        }}
      />
    </div>
  );
}

// --- internal ---

const calm = matchMedia("(prefers-reduced-motion: reduce)");

function describe({ sound, state }: Generation, { codes }: Music, piece: number): string {
  const there = codes[piece]?.[0]?.length ?? 0;
  const voices = sound === null ? "Four" : `${sound.codebooks}`;
  return `${voices} voices, ${there} columns of codes${state === "running" ? " so far" : ""}`;
}
