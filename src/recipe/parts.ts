/** @file A band plays a piece: every player's part, in seconds from the piece's start. */

import { playBass } from "./bass.js";
import { accompany, type Comping } from "./comping.js";
import { counterpoint } from "./counter.js";
import { playDrums } from "./drums.js";
import type { Bar, Event } from "./event.js";
import type { Role } from "./form.js";
import type { Instrument } from "./instruments.js";
import { expressed, ornamented } from "./ornaments.js";
import { type Performance, perform } from "./perform.js";
import { type Frame, keyOf, type Piece } from "./piece.js";
import { mod12 } from "./pitch.js";
import type { Band, Player } from "./players.js";
import { Dice } from "./random.js";
import type { Part } from "./score.js";
import { round } from "./timeline.js";

export function partsOf(frame: Frame, band: Band, piece: Piece, hand: Performance): Part[] {
  const key = keyOf(frame);
  const floor = floorOf(band);
  const barsOf = (role: Role): Bar[] => piece.bars.filter(({ resting }) => !resting.includes(role));
  const dice = (name: string) => new Dice(frame.seed, name);
  const parts: Part[] = [];
  const add = (role: Role, who: Pick<Instrument, "family" | "name" | "sound">, events: readonly Event[]) => {
    const { family, name, sound } = who;
    const notes = perform(dice(`hand ${parts.length}`), events, hand);
    const sings = role === "lead" || role === "counter";
    const controls = sings ? expressed(dice(`touch ${parts.length}`), notes, family) : [];
    parts.push({ role, family, name, sound, notes, controls, ...placeOf(dice(`place ${parts.length}`), role) });
  };

  if (band.lead !== undefined)
    add("lead", band.lead, ornamented(dice("ornaments"), piece.tune, band.lead.family, key, frame.bpm));
  for (const [i, player] of band.others.entries()) {
    const { instrument, role } = player;
    const own = dice(`other ${i}`);
    if (role === "counter") {
      const range = [Math.max(floor, instrument.lead[0]), instrument.lead[1]] as const;
      add(role, instrument, counterpoint(own, barsOf(role), piece.spans, piece.tune, key, range));
    } else add(role, instrument, accompany(own, barsOf(role), piece.spans, compingOf(player, band, i)));
  }
  if (band.bass !== undefined) {
    const { instrument, lines } = band.bass;
    const low = Math.min(Math.max(28, instrument.range[0]), floor - 12);
    const plan = { lines, low, high: Math.min(floor - 1, low + 22), scale: key };
    add("bass", instrument, playBass(dice("bass"), barsOf("bass"), piece.spans, plan));
  }
  if (band.drums !== undefined) {
    const { kit, grooves, fills } = band.drums;
    const crash = frame.style.dynamics > 0.67 ? 0.65 : 0.15;
    const timpani = kit === "48" ? ([onTimpani(frame.tonic), onTimpani(frame.tonic + 7)] as const) : undefined;
    const drums = playDrums(dice("drums"), barsOf("drums"), { grooves, fills, crash, ...(timpani && { timpani }) });
    add("drums", { family: "drums", name: kits[kit]!, sound: kitSound(kit) }, drums);
  }
  return parts;
}

// --- internal ---

/** dB against the accompaniment: a tune has to be heard. */
const levels: Readonly<Record<Role, readonly [number, number]>> = {
  lead: [4.5, 7],
  counter: [-1, 1],
  chords: [-1, 1],
  pad: [-4, -2],
  bass: [-0.5, 1.5],
  drums: [1, 3],
};

function placeOf(dice: Dice, role: Role): Pick<Part, "level" | "pan"> {
  const [low, high] = levels[role];
  const wide = role === "lead" || role === "bass" || role === "drums" ? 0.12 : 0.55;
  return { level: round(dice.between(low, high), 10), pan: round(dice.between(-wide, wide), 100) };
}

/** Below everybody but the bass. */
function floorOf({ lead, others }: Band): number {
  return Math.min(52, lead?.lead[0] ?? 52, ...others.map(({ figures }) => (isPower(figures) ? 40 : 52)));
}

const isPower = (figures: Player["figures"]): boolean => figures.some(({ bar }) => /p/i.test(bar));
const isStrummed = (figures: Player["figures"]): boolean => figures.some(({ bar }) => /[du]/.test(bar));

/** Below the tune, above the bass; alone, with a bass of its own. */
function compingOf({ figures, instrument, role }: Player, { bass, lead }: Band, index: number): Comping {
  const strummed = isStrummed(figures);
  const ownBass = bass === undefined && index === 0;
  const floor = isPower(figures) ? 40 : ownBass ? (strummed ? 43 : 48) : 52;
  const low = Math.max(floor, instrument.range[0]);
  const tune = lead?.lead[0] ?? 62;
  const centre = Math.max(
    low + 5,
    Math.min(60, Math.max(55, tune - 4)) - (ownBass ? 3 : 0) + (index > 0 && role === "chords" ? 5 : 0),
  );
  const plucked = instrument.family.endsWith("guitar") || instrument.name === "harp";
  return {
    figures,
    register: { low, high: Math.min(instrument.range[1], centre + 13), centre },
    count: strummed ? 5 : instrument.family === "distorted guitar" ? 3 : 4,
    bassFrom: ownBass ? Math.max(36, instrument.range[0]) : undefined,
    spread: plucked ? 0.013 : 0.002,
  };
}

/** Orchestral kits tune the keys from F2 up as timpani. */
const onTimpani = (pitchClass: number): number => 41 + mod12(pitchClass - 41);

const kits: Readonly<Record<string, string>> = {
  "0": "drum kit",
  "8": "room drum kit",
  "16": "power drum kit",
  "24": "electronic drum kit",
  "25": "808 drum machine",
  "40": "brushed drums",
  "48": "orchestral percussion",
  "kit-808": "808 drum machine",
  "kit-909": "909 drum machine",
};

const kitSound = (kit: string): Part["sound"] =>
  kit.startsWith("kit-") ? { kind: "synth", name: kit } : { kind: "kit", program: Number(kit) };
