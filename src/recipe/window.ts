/** @file Which ten seconds of a piece become the clip: its start, from a bar line, from anywhere, or its end. */

import { isCadence } from "./harmony.js";
import type { Frame, Piece } from "./piece.js";
import type { Dice } from "./random.js";
import { type Curve, Timeline } from "./timeline.js";

export interface Window {
  readonly timeline: Timeline;
  /** Seconds of the piece before the clip. */
  readonly offset: number;
}

export function windowOf(dice: Dice, frame: Frame, piece: Piece, seconds: number): Window {
  const { beats, bpm, style, swing } = frame;
  const even = new Timeline(bpm, swing);
  const last = piece.length - beats;
  const ratio = dice.pick([0.7, 0.78, 1.25, 1.35]);
  const changes = dice.chance(0.1);
  const slows = style.looseness > 0 && dice.chance(0.6);
  const kind = dice.weighted({ start: 30, bar: 48, anywhere: 13, end: 9 });
  if (kind === "end") {
    const timeline = slows ? new Timeline(bpm, swing, { from: last - beats, to: last, ratio: 0.75 }) : even;
    return { timeline, offset: Math.max(0, timeline.even(last) + dice.between(1.8, 3) - seconds) };
  }
  const span = Math.ceil((seconds * bpm) / 60);
  const latest = Math.max(0, last - span - 1);
  let [best, most] = [0, -1];
  for (let tries = 0; tries < 8; tries++) {
    const drawn = dice.next() * latest;
    const at = kind === "anywhere" ? drawn : kind === "start" && tries === 0 ? 0 : Math.round(drawn / beats) * beats;
    const worth =
      Number(saysHome(frame, piece, at, at + span)) +
      Math.min(1, sung(piece, at, at + span) / 0.45) +
      Math.min(0.45, atHome(frame, piece, at, at + span)) +
      (kind === "start" && tries === 0 ? 0.2 : 0);
    if (worth > most + 1e-6) [best, most] = [at, worth];
  }
  const from = Math.floor(best);
  const curve: Curve | undefined = changes ? { from, to: from + span, ratio } : undefined;
  return { timeline: new Timeline(bpm, swing, curve), offset: even.even(best) };
}

/** Is the tonic stated between these beats, by a cadence of which both chords are heard? */
export function saysHome({ isLoop, mode, tonic }: Frame, { spans }: Piece, from: number, to: number): boolean {
  if (isLoop) return false;
  return spans.some((span, i) => {
    const next = spans[i + 1];
    const heard = next !== undefined && next.at - Math.max(span.at, from) >= 0.9 && to - next.at >= 0.9;
    return heard && isCadence(span, next, tonic, mode);
  });
}

// --- internal ---

/** The share of the time in which the tonic sounds. */
function atHome({ tonic }: Frame, { spans }: Piece, from: number, to: number): number {
  return overlap(
    spans.filter(({ root }) => root === tonic),
    from,
    to,
  );
}

/** The share of the time in which there is a tune; all of it where nobody leads. */
function sung({ tune }: Piece, from: number, to: number): number {
  if (tune.length === 0) return 1;
  return overlap(tune, from, to);
}

function overlap(all: readonly { at: number; length: number }[], from: number, to: number): number {
  let sounding = 0;
  for (const { at, length } of all) sounding += Math.max(0, Math.min(to, at + length) - Math.max(from, at));
  return sounding / (to - from);
}
