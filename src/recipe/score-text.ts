/** @file A score as text: for reading, and for noticing when a seed no longer gives the score that it gave. */

import { className, pitchName } from "./pitch.js";
import type { Part, Score } from "./score.js";

/** A line a fact; then for each part its notes, a line a second of the clip, each "pitch@start+duration!velocity". */
export function scoreText(score: Score): string {
  const { production: p } = score;
  const key = score.key === undefined ? "no key" : `${className(score.key)} ${score.mode}`;
  const lines = [
    `${score.style}, seed ${score.seed}, ${score.seconds} s from ${score.offset} s`,
    `${score.bpm} bpm, ${score.metre.join("/")}, ${key}`,
    `${p.reverb}, delay ${p.delay}, saturation ${p.saturation}, lofi ${p.lofi}, ${p.loudness} LUFS`,
    `tempo ${score.tempo.map(({ at, bpm }) => `${at}:${bpm}`).join(" ") || "constant"}`,
    `sections ${score.sections.map(({ at, name }) => `${at}:${name}`).join(" ")}`,
    `beats ${score.beats.join(" ")}`,
    `chords ${score.chords.map(({ at, root, quality }) => `${at}:${className(root)}.${quality}`).join(" ")}`,
    ...score.parts.flatMap((part) => partLines(part)),
  ];
  return `${lines.join("\n")}\n`;
}

// --- internal ---

function partLines(part: Part): string[] {
  const { sound } = part;
  const source = sound.kind === "synth" ? sound.name : `${sound.kind} ${sound.program}`;
  const bySecond = new Map<number, string[]>();
  for (const { at, duration, pitch, velocity } of part.notes) {
    const second = Math.floor(at);
    const name = part.role === "drums" ? `${pitch}` : pitchName(pitch);
    bySecond.set(second, [...(bySecond.get(second) ?? []), `${name}@${at}+${duration}!${velocity}`]);
  }
  return [
    `${part.role}: ${part.name} (${part.family}, ${source}), ${part.level} dB, pan ${part.pan}, ${part.notes.length} notes, ${part.controls.length} controls`,
    ...[...bySecond].map(([second, notes]) => `  ${second} | ${notes.join(" ")}`),
  ];
}
