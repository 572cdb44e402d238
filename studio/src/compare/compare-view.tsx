/** @file Two takes, not knowing which is which: listen, switch, prefer one, and then see. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Generation } from "../../../src/server/client.js";
import { palette } from "../figures/palette.js";
import { spaceBar } from "../keys.js";
import { Duel } from "../sound/duel.js";
import { player } from "../sound/player.js";
import { musicOf } from "../state/music.js";
import { addressOf, go, place } from "../state/place.js";
import { changeTake, listed, nameOf, newest, secondsOf, takeOf } from "../state/takes.js";
import { Canvas } from "../ui/canvas.js";
import { ago, clock, useFrames } from "../ui/clock.js";
import { Icon } from "../ui/icons.js";
import { pieceOf } from "../ui/pieces.js";
import { Weave } from "../ui/weave.js";

export function CompareView() {
  const [one, other] = place.value.ids.map(takeOf);
  if (!listed.value) return <p class="loading">One moment</p>;
  if (one === undefined) return <p class="empty">Choose a take in Takes first, and compare it from there.</p>;
  if (other === undefined) return <Choose take={one} />;
  return <Blind key={`${one.id} ${other.id}`} takes={[one, other]} />;
}

// --- internal ---

function Choose({ take }: { readonly take: Generation }) {
  const others = newest.value.filter(({ id, state }) => id !== take.id && state === "done");
  return (
    <section class="choose">
      <h1>Compare with which?</h1>
      <p class="muted">
        You will hear both without knowing which is which: {nameOf(take).slice(0, 120)}, against one of these.
      </p>
      {others.length === 0 && <p class="empty">There is no other take yet. Vary this one, and come back.</p>}
      <ul class="rows">
        {others.map((each) => (
          <li key={each.id}>
            <a class="row" href={addressOf("compare", take.id, each.id)}>
              <Weave take={each} />
              <span class="name">{nameOf(each).slice(0, 160)}</span>
              <small>
                {secondsOf(each).toFixed(1)} s · {ago(each.created_at)}
              </small>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Blind({ takes }: { readonly takes: readonly [Generation, Generation] }) {
  const swapped = useSignal(coin());
  const duel = useSignal<Duel | undefined>(undefined);
  const chosen = useSignal<0 | 1 | undefined>(undefined);
  const tally = useSignal<readonly [number, number]>([0, 0]);
  const order = swapped.value ? ([takes[1], takes[0]] as const) : takes;
  const musics = order.map(({ id }) => musicOf(id));
  const tracks = order.map((take, i) => (musics[i]!.more.value < 0 ? undefined : musics[i]!.tracks[pieceOf(take)]));
  const ready = tracks.every((track) => track?.whole);

  useEffect(() => {
    if (!ready) return;
    player.pause();
    const next = new Duel(tracks[0]!, tracks[1]!);
    duel.value = next;
    spaceBar.value = () => next.toggle();
    const onKey = (event: KeyboardEvent) => {
      const side = { a: 0, b: 1 }[event.key.toLowerCase()] as 0 | 1 | undefined;
      if (side !== undefined && !(event.target as HTMLElement).closest("input, textarea")) next.hear(side);
    };
    document.addEventListener("keydown", onKey);
    return () => {
      next.end();
      spaceBar.value = undefined;
      document.removeEventListener("keydown", onKey);
    };
  }, [ready, swapped.value]);

  if (!ready || duel.value === undefined) return <p class="loading">Fetching both</p>;
  const prefer = (side: 0 | 1) => {
    chosen.value = side;
    const [one, other] = tally.value;
    tally.value = (side === 0) !== swapped.value ? [one + 1, other] : [one, other + 1];
  };
  return (
    <section class="compare" aria-label="Blind comparison">
      <h1>Which do you prefer?</h1>
      <p class="muted">
        The order was drawn by chance, and both are equally loud. <kbd>space</kbd> plays, <kbd>A</kbd> and <kbd>B</kbd>{" "}
        switch while it plays.
      </p>
      <div class="pads">
        {([0, 1] as const).map((side) => (
          <Pad
            key={side}
            side={side}
            duel={duel.value!}
            take={chosen.value === undefined ? undefined : order[side]!}
            won={chosen.value === side}
            onPrefer={() => prefer(side)}
          />
        ))}
      </div>
      <Transport duel={duel.value} />
      {chosen.value !== undefined && (
        <div class="verdict">
          <output>
            You preferred {chosen.value === 0 ? "A" : "B"}: {nameOf(order[chosen.value]!).slice(0, 120)}.
          </output>
          {tally.value[0] + tally.value[1] > 1 && (
            <p class="muted">
              In {tally.value[0] + tally.value[1]} rounds: {tally.value[0]} for {nameOf(takes[0]).slice(0, 60)},{" "}
              {tally.value[1]} for {nameOf(takes[1]).slice(0, 60)}.
            </p>
          )}
          <p class="buttons">
            <button
              type="button"
              class="plain"
              onClick={() => {
                chosen.value = undefined;
                swapped.value = coin();
                duel.value = undefined;
              }}
            >
              Once more
            </button>
            <button
              type="button"
              class="plain"
              onClick={() => void changeTake(order[chosen.value!]!.id, { favourite: true })}
            >
              <Icon name="star" filled={order[chosen.value]!.favourite} /> Favourite it
            </button>
            <button type="button" class="plain" onClick={() => go("takes", order[chosen.value!]!.id)}>
              Open it
            </button>
          </p>
        </div>
      )}
    </section>
  );
}

interface PadProps {
  readonly side: 0 | 1;
  readonly duel: Duel;
  /** Once it may be known. */
  readonly take: Generation | undefined;
  readonly won: boolean;
  readonly onPrefer: () => void;
}

function Pad({ side, duel, take, won, onPrefer }: PadProps) {
  const name = "AB"[side]!;
  const heard = duel.side.value === side && duel.playing.value;
  return (
    <div class={`pad${heard ? " heard" : ""}${won ? " won" : ""}`}>
      <button
        type="button"
        class="listen"
        aria-pressed={heard}
        aria-label={`Hear ${name}`}
        onClick={() => duel.hear(side)}
      >
        <span>{name}</span>
      </button>
      {take === undefined ? (
        <button type="button" class="plain" onClick={onPrefer}>
          I prefer {name}
        </button>
      ) : (
        <p>
          <a href={addressOf("takes", take.id)}>{nameOf(take).slice(0, 120)}</a>
          <small>
            {take.model} · seed {take.pieces[0]!.seed}
          </small>
        </p>
      )}
    </div>
  );
}

function Transport({ duel }: { readonly duel: Duel }) {
  useFrames(duel.playing.value);
  return (
    <p class="duel">
      <button
        type="button"
        class="play"
        aria-label={duel.playing.value ? "Pause" : "Play"}
        onClick={() => duel.toggle()}
      >
        <Icon name={duel.playing.value ? "pause" : "play"} filled={!duel.playing.value} />
      </button>
      <span class="where">
        <span>{clock(duel.position())}</span> / {clock(duel.seconds)}
      </span>
      <span class="bar">
        <Canvas
          label="How far it is"
          when={duel.playing.value}
          draw={(ctx, width, height) => {
            if (palette.value === undefined) return false;
            const heard = (duel.position() / duel.seconds) * width;
            ctx.clearRect(0, 0, width, height);
            ctx.fillStyle = palette.value.empty;
            ctx.fillRect(0, height / 2 - 2, width, 4);
            ctx.fillStyle = palette.value.ink;
            ctx.fillRect(0, height / 2 - 2, heard, 4);
            return duel.playing.peek();
          }}
        />
      </span>
    </p>
  );
}

const coin = (): boolean => crypto.getRandomValues(new Uint8Array(1))[0]! >= 128;
