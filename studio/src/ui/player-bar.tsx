/** @file The player beneath every view: play, where it is, how loud, and which take. */

import { palette } from "../figures/palette.js";
import { drawStripes } from "../figures/score.js";
import { player } from "../sound/player.js";
import { musicOf } from "../state/music.js";
import { addressOf } from "../state/place.js";
import { nameOf, secondsOf, takeOf } from "../state/takes.js";
import { Canvas } from "./canvas.js";
import { clock, useFrames } from "./clock.js";
import { Icon } from "./icons.js";

export function PlayerBar() {
  const track = player.track.value;
  if (track === undefined) return null;
  const state = player.state.value;
  const take = takeOf(track.take);
  const { piece } = track;
  const seconds = track.whole || take === undefined ? track.seconds : secondsOf(take);
  return (
    <section class="player" aria-label="Player">
      <button
        type="button"
        class="play"
        aria-label={state === "still" ? "Play" : "Pause"}
        onClick={() => player.toggle()}
      >
        <Icon name={state === "still" ? "play" : "pause"} filled={state === "still"} />
      </button>
      <div class="what">
        <p>
          {track.about !== undefined ? (
            <a href={track.about.address}>{track.about.name}</a>
          ) : take === undefined ? (
            "A take that is gone"
          ) : (
            <a href={addressOf("takes", take.id)}>{nameOf(take).slice(0, 200)}</a>
          )}
          {take !== undefined && take.pieces.length > 1 && (
            <small>
              {" "}
              {piece + 1} of {take.pieces.length}
            </small>
          )}
        </p>
        {player.held.value ? (
          <output>Press play to listen</output>
        ) : (
          state === "waiting" && <output>Waiting for more; space plays what is there</output>
        )}
      </div>
      <Where seconds={seconds} />
      {take !== undefined && <Strip id={take.id} piece={piece} seconds={seconds} />}
      <Level />
    </section>
  );
}

// --- internal ---

function Where({ seconds }: { readonly seconds: number }) {
  useFrames(player.state.value === "playing");
  return (
    <p class="where">
      <span>{clock(player.position())}</span> / {clock(seconds)}
    </p>
  );
}

function Strip({ id, piece, seconds }: { readonly id: string; readonly piece: number; readonly seconds: number }) {
  const music = musicOf(id);
  const take = takeOf(id);
  const version = music.more.value;
  return (
    <div class="strip">
      <Canvas
        label="The take's codes"
        when={`${id} ${piece} ${version}`}
        draw={(ctx, width, height) => {
          const sound = take?.sound;
          if (!sound || palette.value === undefined) return false;
          const columns = Math.round(seconds * sound.frame_rate);
          drawStripes(ctx, width, height, { ...sound, codes: music.codes[piece] ?? [], columns }, palette.value);
          ctx.fillStyle = palette.value.ink;
          ctx.fillRect((player.position() / seconds) * width - 1, 0, 2, height);
          return player.state.peek() === "playing";
        }}
      />
      <Seek seconds={seconds} />
    </div>
  );
}

/** Lies on a picture of the whole take: where it is pressed, playing goes on. */
export function Seek({ seconds }: { readonly seconds: number }) {
  useFrames(player.state.value === "playing", 4);
  return (
    <input
      type="range"
      class="seek"
      aria-label="Position"
      aria-valuetext={`${clock(player.position())} of ${clock(seconds)}`}
      min={0}
      max={seconds}
      step={0.01}
      value={player.position()}
      onInput={({ currentTarget }) => player.seek(Number(currentTarget.value))}
    />
  );
}

function Level() {
  const state = player.state.value;
  return (
    <Canvas
      class="level"
      label="Level"
      when={state}
      draw={(ctx, width, height) => {
        if (palette.value === undefined) return false;
        ctx.clearRect(0, 0, width, height);
        const decibel = 20 * Math.log10(Math.max(1e-4, player.level()));
        const lit = Math.round(((decibel + 42) / 42) * 12);
        for (let i = 0; i < 12; i++) {
          ctx.fillStyle = i < lit ? palette.value.shades[i < 8 ? 2 : i < 10 ? 1 : 0]![0]! : palette.value.empty;
          ctx.fillRect((i * width) / 12, 0, width / 12 - 2, height);
        }
        return state === "playing";
      }}
    />
  );
}
