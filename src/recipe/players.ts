/** @file Who plays: a band, or one or two players, drawn from a style card so that any lead may meet any style. */

import { type Figure, figures, lines } from "./figures.js";
import type { Role } from "./form.js";
import { fills, type Groove, grooves, type Pattern } from "./grooves.js";
import { type Instrument, instrumentNamed, leadFamilies, playersOf } from "./instruments.js";
import type { Dice } from "./random.js";
import type { Family } from "./score.js";
import type { Layer, Style } from "./style.js";

export interface Player {
  readonly role: Exclude<Role, "drums" | "bass">;
  readonly instrument: Instrument;
  /** For the first and the second theme; a lead and a counter-melody need none. */
  readonly figures: readonly [Figure, Figure];
}

export interface Band {
  readonly lead: Instrument | undefined;
  readonly others: readonly Player[];
  readonly bass: { readonly instrument: Instrument; readonly lines: readonly [Figure, Figure] } | undefined;
  readonly drums:
    | { readonly kit: string; readonly grooves: readonly [Groove, Groove]; readonly fills: readonly Pattern[] }
    | undefined;
}

export function bandOf(dice: Dice, style: Style, bpm: number, beats: 3 | 4): Band {
  const drums = drummer(dice, style, bpm, beats);
  if (drums !== undefined && style.drums.chance > 0.8 && dice.chance(0.02))
    return { lead: undefined, others: [], bass: undefined, drums };
  const lead = leader(dice, style);
  const bass = bassist(dice, style, bpm, beats);
  if (dice.chance(style.alone)) return { lead, ...few(dice, style, lead, bass, bpm, beats), drums: undefined };

  const others: Player[] = [];
  const join = (layer: Layer, role: Player["role"]) => {
    const taken = [lead.family, ...others.map(({ instrument }) => instrument.family)];
    const player = accompanist(dice, layer, role, taken, lead, bpm, beats);
    if (player !== undefined) others.push(player);
  };
  join(chordLayer(dice, style, lead), "chords");
  for (const layer of style.extra) if (others.length < 4 && dice.chance(layer.chance)) join(layer, layer.role);
  return {
    lead,
    others,
    bass: dice.chance(style.bass.chance) ? bass : undefined,
    drums: dice.chance(style.drums.chance > 0.8 ? 0.84 : 1) ? drums : undefined,
  };
}

// --- internal ---

function leader(dice: Dice, style: Style): Instrument {
  const family = dice.chance(style.strange) ? dice.pick(leadFamilies) : dice.pick(style.leads);
  const all = playersOf([family], "lead");
  const preferred = all.filter(({ name }) => style.prefers?.includes(name));
  return first(dice, preferred.length > 0 ? preferred : all);
}

/** The one that gave the family its name is twice as likely as the others. */
const first = (dice: Dice, all: readonly Instrument[]): Instrument => dice.pick([all[0]!, ...all]);

function bassist(dice: Dice, style: Style, bpm: number, beats: 3 | 4) {
  const instrument = instrumentNamed(dice.pick(style.bass.by))!;
  return { instrument, lines: pair(dice, style.bass.lines, lines, bpm, beats) };
}

function drummer(dice: Dice, style: Style, bpm: number, beats: 3 | 4): Band["drums"] {
  if (!dice.chance(style.drums.chance)) return undefined;
  const kit = dice.weighted(style.drums.kits);
  const names = beats === 3 ? style.drums.three : style.drums.grooves;
  const all = names.flatMap((name) => grooves[name]!).filter((groove) => isFor(groove, bpm));
  const one = dice.pick(all);
  return { kit, grooves: [one, dice.chance(0.6) ? one : dice.pick(all)], fills: fills[style.drums.fills] };
}

/**
 * One player, who accompanies the tune as the style does, or the lead and one more, perhaps with a bass: a style is heard
 * from two as well. A piano alone is a style of its own.
 */
function few(dice: Dice, style: Style, lead: Instrument, bass: Band["bass"], bpm: number, beats: 3 | 4) {
  const own = style.chords.filter(({ by }) => [lead.family, lead.name, "same"].some((who) => by.includes(who)));
  const canBoth = own.length > 0 && lead.can.includes("chords") && !lead.single && lead.family !== "piano";
  if (style.alone === 1 || (canBoth && dice.chance(0.5)))
    return {
      others: [accompanist(dice, { ...dice.pick(own), by: ["same"] }, "chords", [], lead, bpm, beats)!],
      bass: undefined,
    };
  const other = accompanist(dice, chordLayer(dice, style, lead), "chords", [lead.family], lead, bpm, beats)!;
  return { others: [other], bass: dice.chance(style.bass.chance - 0.6) ? bass : undefined };
}

/** Rather one whose instruments differ from the lead's. */
function chordLayer(dice: Dice, style: Style, lead: Instrument): Layer {
  const familyOf = (who: string) => instrumentNamed(who)?.family ?? who;
  const different = style.chords.filter(({ by }) => by.some((who) => familyOf(who) !== lead.family));
  return dice.pick(different.length > 0 ? different : style.chords);
}

function accompanist(
  dice: Dice,
  layer: Layer,
  role: Player["role"],
  taken: readonly Family[],
  lead: Instrument,
  bpm: number,
  beats: 3 | 4,
): Player | undefined {
  const duty = role === "counter" ? "lead" : role;
  const candidates = layer.by.flatMap((who) => {
    if (who === "same") return [lead];
    const named = instrumentNamed(who);
    return named === undefined ? playersOf([who as Family], duty) : [named];
  });
  const others = candidates.filter(
    (who) => who !== lead && (!taken.includes(who.family) || layer.by.includes(who.name)),
  );
  if (others.length === 0 && role !== "chords") return undefined;
  const strangers = others.filter(({ family }) => !taken.includes(family));
  const instrument = dice.pick([strangers, others, candidates].find((some) => some.length > 0)!);
  return {
    role,
    instrument,
    figures: role === "counter" ? [still, still] : pair(dice, layer.figures, figures, bpm, beats),
  };
}

const still: Figure = { bar: "x-------" };

/** A figure for each theme, the same one half of the time. */
function pair(
  dice: Dice,
  names: readonly string[],
  from: Readonly<Record<string, readonly Figure[]>>,
  bpm: number,
  beats: 3 | 4,
): readonly [Figure, Figure] {
  const sets = names.map((name) => from[name]!.filter((figure) => isFor(figure, bpm) && isIn(figure, beats)));
  const set = dice.pick(
    sets
      .filter((figures) => figures.length > 0)
      .concat(sets.every(({ length }) => length === 0) ? [[plain(beats)]] : []),
  );
  const one = dice.pick(set);
  return [one, dice.chance(0.5) ? one : dice.pick(set)];
}

const plain = (beats: 3 | 4): Figure => ({ bar: beats === 3 ? "x-----" : "x---x---" });

const isFor = ({ from = 0, to = 999 }: { from?: number; to?: number }, bpm: number) => bpm >= from && bpm <= to;
const isIn = ({ bar }: Figure, beats: 3 | 4) => (bar.length % 6 === 0) === (beats === 3);
