/** @file Facts put into a template's words. */

import { choose, type Draw, shuffled } from "./draw.js";
import type { Facts, Instrument } from "./facts.js";
import { keyName, keyNames } from "./facts.js";
import { type Piece, type Slot, slotOf, slotsOf, type Template } from "./templates.js";
import {
  changeNames,
  densityNames,
  drumsNames,
  familyNames,
  metreNames,
  modeNames,
  moodNames,
  type Names,
  occasions,
  paces,
  pieceNames,
  sizeNames,
  soundNames,
  styleNames,
  unlike,
} from "./words.js";

/** How to say it: the draws that choose, and whether words that are held out are wanted or forbidden. */
export interface Voice {
  readonly draw: Draw;
  readonly held: boolean;
}

/** What `facts` let a caption state. */
export const statable = (facts: Facts): Slot[] =>
  (Object.keys(say) as Slot[]).filter((slot) => say[slot](facts, { draw: () => 0, held: false }) !== undefined);

/** What fills a gap, in words; undefined where the facts do not say. */
export function filled(fill: string, facts: Facts, voice: Voice): string | undefined {
  if (fill === "piece") return piece(facts, voice);
  if (fill === "number") return facts.bpm === undefined ? undefined : String(Math.round(facts.bpm));
  if (fill === "inkey") {
    const key = say.key(facts, voice);
    return key?.replace(/^(?!in )/, "in ").replace(/^in ((major|minor|dorian|mixolydian) (key|mode))$/, "in a $1");
  }
  return say[fill as Slot](facts, voice);
}

/**
 * A template with what `kept` lets stand. What it asks for and `facts` do not have is left out.
 * @returns the words and what they state
 */
export function fillTemplate(
  { pieces, register }: Template,
  facts: Facts,
  voice: Voice,
  kept: (slots: readonly Slot[], place: string) => boolean,
): { text: string; stated: Set<Slot> } {
  const stated = new Set<Slot>();
  const write = (parts: readonly Piece[], place: string): string =>
    parts
      .map((part, i) => {
        if (typeof part === "string") return part;
        if ("optional" in part) {
          const inside = part.optional.filter((piece) => typeof piece === "string" || "fill" in piece);
          const known = inside.every(
            (piece) => typeof piece === "string" || filled(piece.fill, facts, voice) !== undefined,
          );
          return known && kept(slotsOf(inside), `${place} ${i}`) ? write(part.optional, `${place} ${i}`) : "";
        }
        const slot = slotOf(part.fill);
        if (slot !== undefined) stated.add(slot);
        return filled(part.fill, facts, voice) ?? "";
      })
      .join(register === "tags" && place === "" ? "; " : "");
  const ordered = register === "tags" && voice.draw("order") < 0.5 ? shuffled(pieces, voice.draw, "order") : pieces;
  return { text: tidy(write(ordered, "")), stated };
}

/** Articles, commas and spaces as they should be once parts have been left out. */
export const tidy = (text: string): string =>
  text
    .replace(/(; )+/g, ", ")
    .replace(/\s+/g, " ")
    .replace(/ ([,.?])/g, "$1")
    .replace(/,(\s*,)+/g, ",")
    .replace(/^[,\s]+|[,\s]+$/g, "")
    .replace(/,(?=[.?])/g, "")
    .replace(/\.( ?\.)+/g, ".")
    .replace(/-style style\b/g, " style")
    .replace(/(tempo|tempo is|tempo:) a tempo of /gi, "$1 ")
    .replace(/\ba (?=[aio]|e(?!u)|u[nprs]|8)/gi, (article) => `${article[0]}n `);

// --- internal ---

type Say = (facts: Facts, voice: Voice) => string | undefined;

const word = ({ trained, held }: Names, voice: Voice, purpose: string): string =>
  choose(voice.held && held.length > 0 ? held : trained, voice.draw(purpose));

/** One row for each thing that can be stated. */
const say: Record<Slot, Say> = {
  style({ style }, voice) {
    if (style === undefined) return undefined;
    const row = styleNames[style];
    return row === undefined ? style : word(row, voice, "style");
  },
  pace({ bpm, change }, voice) {
    if (bpm === undefined || change !== undefined) return undefined;
    return word(paces.find(({ below }) => bpm < below)!.names, voice, "pace");
  },
  bpm({ bpm, change }, { draw, held }) {
    if (bpm === undefined || change !== undefined) return undefined;
    const whole = Math.round(bpm);
    if (held) return `${whole} beats a minute`;
    const around = 5 * Math.round(bpm / 5);
    return choose(
      [
        ...[`${whole} bpm`, `${whole} bpm`, `${whole} BPM`, `${whole} BPM`, `${whole}bpm`],
        ...[`${whole} beats per minute`, `a tempo of ${whole} bpm`, `around ${around} bpm`, `about ${around} BPM`],
      ],
      draw("bpm"),
    );
  },
  key({ key, mode }, voice) {
    if (mode === undefined) return undefined;
    // The mode alone, now and then where the key is known too.
    if (key === undefined || voice.draw("mode alone") < 0.25) return word(modeNames(mode), voice, "mode");
    const usual = keyName(key, mode);
    const other = keyNames[usual.endsWith("#") ? "flats" : "sharps"][key]!;
    const note = voice.draw("accidental") < 0.85 ? usual : other;
    const tonic =
      voice.draw("accidental in words") < 0.3 ? note.replace("#", " sharp").replace(/(?<=.)b$/, " flat") : note;
    const short = { major: "maj", minor: "m", dorian: " dorian", mixolydian: " mixolydian" }[mode];
    const forms = [`${tonic} ${mode}`, `in the key of ${tonic} ${mode}`, `${note}${short}`];
    return voice.held ? `in the ${tonic} ${mode} key` : choose(forms, voice.draw("key"));
  },
  mood({ mood }, voice) {
    if (mood === undefined) return undefined;
    const row = moodNames[band5(mood.energy)]![band5(mood.valence)]!;
    const first = word(row, voice, "mood");
    const second = word(row, { ...voice, held: false }, "second mood");
    return voice.draw("two moods") < 0.2 && second !== first ? `${first}, ${second}` : first;
  },
  lead: ({ lead }, voice) => lead && called(lead, voice),
  band({ band }, voice) {
    if (band === undefined || band.length === 0) return undefined;
    const count = 1 + Math.floor(voice.draw("how many") * Math.min(3, band.length));
    return list(shuffled(band, voice.draw, "band").slice(0, count), voice);
  },
  drums({ drums, lead, band }, voice) {
    if (drums === undefined) return undefined;
    const rows = drums ? drumsNames.with : drumsNames.without;
    const tuned = [lead, ...(band ?? [])].some((instrument) => instrument?.family === "mallets");
    const trained = tuned && !drums ? rows.trained.filter((name) => !name.includes("percussion")) : rows.trained;
    return word({ ...rows, trained }, voice, "drums");
  },
  metre({ metre }, voice) {
    const row = metre === undefined ? undefined : metreNames[metre];
    return row && word(row, voice, "metre");
  },
  size: ({ size }, voice) => (size !== undefined && sizeNames[size] ? word(sizeNames[size], voice, "size") : undefined),
  density: ({ density }, voice) => density && word(densityNames[density], voice, "density"),
  sound({ sound }, voice) {
    if (sound === undefined || sound.length === 0) return undefined;
    return word(soundNames[choose(sound, voice.draw("which sound"))], voice, "sound");
  },
  form,
  occasion({ mood }, voice) {
    return mood && word(occasions[band5(mood.energy)]!, voice, "occasion");
  },
};

const band5 = (x: number): number => Math.min(4, Math.floor(5 * x));

function piece({ lead, band }: Facts, voice: Voice): string {
  const sung = [lead, ...(band ?? [])].some((instrument) => instrument?.family === "choir");
  const trained = sung ? pieceNames.trained.filter((name) => name !== "instrumental") : pieceNames.trained;
  return word({ ...pieceNames, trained }, voice, "piece");
}

function called({ family, name }: Instrument, voice: Voice): string {
  const known = name !== undefined && !heldNames.has(name.toLowerCase());
  if (known && !voice.held && voice.draw(`own name ${family}`) < 0.35) return name;
  const fitting = (all: readonly string[]) => all.filter((one) => !(name && unlike[name]?.test(one)));
  const { trained, held } = familyNames[family];
  return word({ trained: fitting(trained), held: fitting(held) }, voice, `family ${family}`);
}

const heldNames = new Set(Object.values(familyNames).flatMap(({ held }) => held));

function list(instruments: readonly Instrument[], voice: Voice): string {
  const all = [...new Set(instruments.map((instrument) => called(instrument, voice)))];
  return all.length < 2 ? all.join("") : `${all.slice(0, -1).join(", ")} and ${all.at(-1)}`;
}

/** What happens in the clip, after "it". */
function form({ change, start, events }: Facts, voice: Voice): string | undefined {
  if (change !== undefined && (events === undefined || events.length === 0 || voice.draw("what changes") < 0.5))
    return word(changeNames[change], voice, "change");
  if (start === undefined || events === undefined || events.length === 0) return undefined;
  const event = choose(events, voice.draw("event"));
  const what = list(event.what, voice);
  const when = choose(
    [
      `after ${event.at} seconds`,
      `at ${event.at} seconds`,
      `${event.at} seconds in`,
      `at 0:${String(event.at).padStart(2, "0")}`,
    ],
    voice.draw("when"),
  ).replace(/^(.*\b1) seconds/, "$1 second");
  const timed = voice.draw("timed") < 0.6;
  if (event.kind === "out")
    return choose(
      timed
        ? [`drops ${what} ${when}`, `lets ${what} go ${when}`, `loses ${what} ${when}`]
        : [`drops ${what} towards the end`, `loses ${what} before the end`, `lets ${what} drop out`],
      voice.draw("form"),
    );
  const first = list(start.slice(0, 3), voice);
  const only = start.length === 1 ? choose(["only ", "just ", "nothing but ", ""], voice.draw("only")) : "";
  return choose(
    timed
      ? [
          `starts with ${only}${first}, joined by ${what} ${when}`,
          `opens with ${only}${first} and adds ${what} ${when}`,
          `brings in ${what} ${when}`,
        ]
      : [
          `starts with ${only}${first}, then adds ${what}`,
          `opens with ${only}${first}, later joined by ${what}`,
          `builds up, adding ${what}`,
        ],
    voice.draw("form"),
  );
}
