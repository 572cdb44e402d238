/** @file The heart of the page: the four voices as they are composed and heard, and the waveform beneath them. */

import { useRef } from "preact/hooks";
import type { Generation } from "../../../src/server/client.js";
import { palette } from "../figures/palette.js";
import { drawScore, pitch } from "../figures/score.js";
import { drawWave } from "../figures/wave.js";
import { player } from "../sound/player.js";
import { firstSound } from "../state/compose.js";
import { type Music, musicOf } from "../state/music.js";
import { secondsOf, underway } from "../state/takes.js";
import { Canvas } from "../ui/canvas.js";
import { Pieces, pieceOf, playPiece } from "../ui/pieces.js";
import { Seek } from "../ui/player-bar.js";
import { Sketch } from "./sketch.js";

export function Stage({ take }: { readonly take: Generation | undefined }) {
  if (take === undefined) return <Sketch />;
  const music = musicOf(take.id);
  const piece = pieceOf(take);
  const version = music.more.value;
  const mine = player.track.value !== undefined && player.track.value === music.tracks[piece];
  return (
    <section class={`stage ${take.state}`} aria-label="The music">
      <Voices take={take} music={music} piece={piece} mine={mine} version={version} />
      <div class="wave">
        <Canvas
          label={`Waveform of ${secondsOf(take).toFixed(1)} seconds`}
          when={`${take.id} ${piece} ${version} ${player.state.value} ${mine}`}
          draw={(ctx, width, height) => {
            if (palette.value === undefined) return false;
            const heard = mine ? player.position() : 0;
            drawWave(ctx, width, height, music.tracks[piece], secondsOf(take), heard, palette.value);
            return mine && player.state.peek() === "playing";
          }}
        />
        {mine && <Seek seconds={secondsOf(take)} />}
      </div>
      <div class="under">
        <Status take={take} music={music} />
        <Pieces take={take} />
        {!mine && music.tracks[piece] !== undefined && (
          <button type="button" class="plain" onClick={() => playPiece(take, piece)}>
            Listen
          </button>
        )}
      </div>
    </section>
  );
}

/** The score: it follows what is heard, or what is composed. */
export function Voices(props: {
  readonly take: Generation;
  readonly music: Music;
  readonly piece: number;
  /** Whether this is what the player plays. */
  readonly mine: boolean;
  readonly version: number;
}) {
  const { take, music, piece, mine, version } = props;
  const middle = useRef(0);
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
          const half = width / 2 / pitch;
          const wanted = heard ?? (take.state === "running" ? there + 0.4 * half - half / 2 : 0);
          const aim = Math.max(half, Math.min(wanted, columns - half));
          const target = columns < 2 * half ? columns / 2 : aim;
          const far = Math.abs(target - middle.current);
          middle.current = calm.matches || far > 4 * half ? target : middle.current + (target - middle.current) * 0.18;
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

function Status({ take, music }: { readonly take: Generation; readonly music: Music }) {
  const progress = music.progress.value;
  const early = firstSound.value?.id === take.id ? firstSound.value.milliseconds / 1000 : undefined;
  switch (take.state) {
    case "queued":
      return (
        <output class="status">
          {take.position ? `Waiting: ${take.position} before it` : "Next in turn"}
          {underway.value.length > 1 && ` · ${underway.value.length} underway`}
        </output>
      );
    case "running":
      return (
        <output class="status">
          {progress === undefined ? (
            "Taking a breath: the model is being read"
          ) : (
            <>
              <b>{progress.step}</b> of {progress.steps} steps · {progress.steps_per_second.toFixed(0)} a second ·{" "}
              {progress.real_time_factor.toFixed(1)}× real time · {Math.ceil(progress.seconds_left)} s left
            </>
          )}
        </output>
      );
    case "failed":
      return (
        <p class="status problem" role="alert">
          {take.error?.detail ?? "It could not be composed."}
        </p>
      );
    case "cancelled":
      return <output class="status">Stopped. What was composed until then is not kept.</output>;
    case "done":
      return (
        <output class="status">
          {secondsOf(take).toFixed(1)} s of music in {take.seconds?.toFixed(1) ?? "?"} s
          {early !== undefined && ` · first sound after ${early.toFixed(1)} s`}
          {take.notes.map((note) => (
            <span key={note}> · {note}</span>
          ))}
        </output>
      );
  }
}
