/** @file The heart of the page: the four voices as they are composed and heard, and the waveform beneath them. */

import type { Generation } from "../../../src/server/client.js";
import { palette } from "../figures/palette.js";
import { drawWave } from "../figures/wave.js";
import { player } from "../sound/player.js";
import { firstSound } from "../state/compose.js";
import { type Music as Heard, musicOf } from "../state/music.js";
import { secondsOf, underway } from "../state/takes.js";
import { Canvas } from "../ui/canvas.js";
import { Marks } from "../ui/marks.js";
import { Pieces, pieceOf, playPiece, useAtHand } from "../ui/pieces.js";
import { Seek } from "../ui/player-bar.js";
import { Voices } from "../ui/voices.js";
import { Sketch } from "./sketch.js";

export function Stage({ take }: { readonly take: Generation | undefined }) {
  return take === undefined ? <Sketch /> : <Music take={take} />;
}

// --- internal ---

function Music({ take }: { readonly take: Generation }) {
  const music = musicOf(take.id);
  const piece = pieceOf(take);
  const version = music.more.value;
  useAtHand(music.tracks[piece]);
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
      <Marks take={take} />
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

function Status({ take, music }: { readonly take: Generation; readonly music: Heard }) {
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
