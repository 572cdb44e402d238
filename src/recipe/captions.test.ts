import assert from "node:assert/strict";
import { test } from "node:test";
import { fixture } from "../../test/scores.js";
import { captionsOf, promptFor, swapped, type Wording } from "./captions.js";
import { compose } from "./compose.js";
import { factsOf, keyName, keyNames } from "./facts.js";
import type { Score } from "./score.js";
import { templates } from "./templates.js";
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
} from "./words.js";

/** As they are composed, and of mixtures that nobody would compose. */
const scores = Array.from({ length: 320 }, (_, seed) => (seed % 2 === 0 ? compose(seed) : fixture(seed)));
const texts = (score: Score, seed: number, wording: Wording = {}): string[] => {
  const { caption, others } = captionsOf(score, seed, wording);
  return [caption, ...others];
};

const allNames: readonly Names[] = [
  ...[styleNames, familyNames, metreNames, changeNames, densityNames, soundNames, sizeNames].flatMap((table) =>
    Object.values<Names>(table),
  ),
  ...(["major", "minor", "dorian", "mixolydian"] as const).map(modeNames),
  ...[drumsNames.with, drumsNames.without, pieceNames, ...paces.map((pace) => pace.names), ...occasions],
  ...moodNames.flat(),
];

/** Whether `phrase` stands in `text`, whole words. */
const says = (text: string, phrase: string): boolean =>
  new RegExp(`(?<![\\w-])${escaped(phrase)}(?![\\w-])`, "i").test(text);
const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");

test("the same seed gives the same captions, another seed others", () => {
  const score = scores[0]!;
  assert.deepEqual(captionsOf(score, 7), captionsOf(score, 7));
  assert.notDeepEqual(texts(score, 7), texts(score, 8));
});

test("one in ten patterns and words is held out", () => {
  assert.equal(templates.length, 60);
  assert.equal(templates.filter(({ held }) => held).length, 6);
  const [trained, held] = [allNames.flatMap((row) => row.trained).length, allNames.flatMap((row) => row.held).length];
  assert.ok(held / (held + trained) > 0.09 && held / (held + trained) < 0.15, `${held} of ${held + trained}`);
});

test("training never sees a word or a pattern that is held out", () => {
  const trained = scores.flatMap((score, seed) => texts(score, seed));
  const text = trained.join("\n");
  for (const phrase of allNames.flatMap((row) => row.held)) assert.ok(!says(text, phrase), phrase);
  for (const phrase of ["beats a minute", "what plays is", "think of a", "could we have some", "where the tune is on"])
    assert.ok(!says(text, phrase), phrase);
  const heldOut = scores.flatMap((score, seed) => texts(score, seed, { heldOut: true })).join("\n");
  const used = allNames.flatMap((row) => row.held).filter((phrase) => says(heldOut, phrase));
  const all = allNames.flatMap((row) => row.held);
  assert.ok(used.length > 0.95 * all.length, `never said: ${all.filter((phrase) => !used.includes(phrase))}`);
});

// --- nothing but the truth ---

type Claim = readonly [phrase: string, holds: (score: Score) => boolean];
const every = (row: Names, holds: Claim[1]): Claim[] => [...row.trained, ...row.held].map((phrase) => [phrase, holds]);
const rows = <K extends string>(table: Readonly<Record<K, Names>>, holds: (key: K, score: Score) => boolean): Claim[] =>
  (Object.keys(table) as K[]).flatMap((key) => every(table[key], (score) => holds(key, score)));
const plays = (score: Score, family: string) => score.parts.some((part) => part.family === family);
const fifth = (x: number) => Math.min(4, Math.floor(5 * x));
const endBpm = ({ tempo, bpm }: Score) => tempo.at(-1)?.bpm ?? bpm;

const claims: Claim[] = [
  ...rows(styleNames, (style, score) => score.style === style),
  ...rows(familyNames, (family, score) => plays(score, family)),
  ...scores.flatMap(({ parts }) =>
    parts.map(({ name }): Claim => [name, (score) => score.parts.some((part) => part.name === name)]),
  ),
  ...every(drumsNames.with, (score) => plays(score, "drums")),
  ...every(drumsNames.without, (score) => !plays(score, "drums")),
  ...["percussion", "with percussion"].map(
    (phrase): Claim => [phrase, (score) => plays(score, "drums") || plays(score, "mallets")],
  ),
  ...paces.flatMap(({ below, names }, i) =>
    every(names, ({ bpm }) => bpm < below && bpm >= (paces[i - 1]?.below ?? 0)),
  ),
  ...(["major", "minor", "dorian", "mixolydian"] as const).flatMap((mode) =>
    [...every(modeNames(mode), () => true), [mode, () => true] as Claim].map(
      ([phrase]): Claim => [phrase, (score) => score.key !== undefined && score.mode === mode],
    ),
  ),
  ...rows(metreNames, (metre, score) => score.metre.join("/") === metre),
  ...rows(changeNames, (change, score) => (change === "slower") === endBpm(score) < score.bpm),
  ...rows(densityNames, (density, score) => factsOf(score).density === density),
  ...rows(soundNames, (sound, { production }) =>
    sound === "lofi" ? production.lofi : sound === "delay" ? production.delay : production.reverb === sound,
  ),
  ...rows(sizeNames, (size, { parts }) =>
    size === "band" ? parts.length >= 4 : new Set(parts.map(({ family }) => family)).size === Number(size),
  ),
  ...moodNames.flatMap((row, energy) =>
    row.flatMap((names, valence) =>
      every(names, (score) => {
        const { mood } = captionsOf(score, 0);
        return fifth(mood.energy) === energy && fifth(mood.valence) === valence;
      }),
    ),
  ),
  ...occasions.flatMap((names, energy) => every(names, (score) => fifth(captionsOf(score, 0).mood.energy) === energy)),
  ...["with only", "with just", "with nothing but"].map(
    (phrase): Claim => [phrase, (score) => factsOf(score).start?.length === 1],
  ),
];
const byPhrase = new Map<string, Claim[]>();
for (const claim of claims) {
  const phrase = claim[0].toLowerCase();
  byPhrase.set(phrase, [...(byPhrase.get(phrase) ?? []), claim]);
}
const anyPhrase = new RegExp(
  `(?<![\\w-])(${[...byPhrase.keys()]
    .sort((a, b) => b.length - a.length)
    .map(escaped)
    .join("|")})(?![\\w-])`,
  "g",
);

test("whatever a caption states is true of the score", () => {
  let stated = 0;
  for (const [seed, score] of scores.entries())
    for (const text of [...texts(score, seed, { slips: false }), ...texts(score, seed, { heldOut: true })]) {
      const where = `${text} (${seed})`;
      for (const [, phrase] of text.toLowerCase().matchAll(anyPhrase)) {
        assert.ok(
          byPhrase.get(phrase!)!.some(([, holds]) => holds(score)),
          `${phrase}: ${where}`,
        );
        stated++;
      }
      for (const [, about, bpm] of text.matchAll(/(around|about)? ?(\d+) ?(?:bpm|beats)/gi))
        assert.ok(Math.abs(Number(bpm) - score.bpm) <= (about ? 2.5 : 0.5), where);
      for (const [, note, sign] of text.matchAll(
        /\b([A-G])(#|b| sharp| flat)? ?(?:maj|m\b|minor|dorian|mixolydian)/g,
      )) {
        const name = note + ({ " sharp": "#", " flat": "b" }[sign ?? ""] ?? sign ?? "");
        assert.ok(
          [keyNames.sharps, keyNames.flats].some((names) => names[score.key!] === name),
          where,
        );
      }
    }
  assert.ok(stated > 10_000);
});

test("a key is named only where the harmony states one", () => {
  const keyless = scores.filter(({ key }) => key === undefined);
  assert.ok(keyless.length > 20);
  for (const [seed, score] of keyless.entries()) {
    assert.doesNotMatch(texts(score, seed).join(" "), /\b(major|minor|dorian|mixolydian|maj|[A-G][b#]?m)\b/);
    assert.equal(captionsOf(score, seed).info.key, null);
  }
  assert.equal(keyName(10, "minor"), "Bb");
  assert.equal(keyName(6, "minor"), "F#");
  assert.equal(keyName(1, "major"), "Db");
});

test("a caption always states something, and nothing is left of the pattern", () => {
  for (const [seed, score] of scores.entries())
    for (const text of texts(score, seed)) {
      assert.match(text, /\w{2}/);
      assert.doesNotMatch(text, /[[\]{}]|undefined| {2}|,,|^[,. ]|[, ]$|, ?\./, text);
    }
});

test("no two captions in a hundred are alike", () => {
  const score = scores.find(({ parts, key }) => parts.length > 4 && key !== undefined)!;
  const all = Array.from({ length: 600 }, (_, seed) => texts(score, seed)).flat();
  const distinct = new Set(all).size;
  assert.ok(distinct > 0.9 * all.length, `${distinct} of ${all.length}`);
});

test("a prompt asks for all that it is to ask for, in words of either kind", () => {
  for (let seed = 0; seed < 400; seed++)
    for (const heldOut of [false, true]) {
      const prompt = promptFor({ style: "jazz", bpm: 140, mode: "minor", drums: seed % 2 === 0, lead: "flute" }, seed, {
        heldOut,
      });
      const side = heldOut ? "held" : "trained";
      const has = (row: Names) => row[side].some((phrase) => says(prompt, phrase));
      assert.ok(has(styleNames.jazz!), prompt);
      assert.ok(has(familyNames.flute), prompt);
      assert.ok(has(seed % 2 === 0 ? drumsNames.with : drumsNames.without), prompt);
      assert.ok(/140/.test(prompt) || has(paces[4]!.names), prompt);
      assert.match(prompt, /minor/);
    }
});

test("a swap changes the words for one thing alone", () => {
  const base = { style: "rock", bpm: 90, mode: "major", drums: false, lead: "piano" } as const;
  const changes = [{ bpm: 140 }, { lead: "violin" }, { drums: true }, { mode: "minor" }, { style: "jazz" }] as const;
  for (let seed = 0; seed < 200; seed++)
    for (const change of changes)
      for (const heldOut of [false, true]) {
        const [a, b] = swapped(base, change, seed, { heldOut });
        assert.notEqual(a, b);
        const words = new Set(b.split(/[\s,.?]+/));
        const changed = a.split(/[\s,.?]+/).filter((word) => !words.has(word));
        assert.ok(changed.length <= 6, `${a} | ${b}`);
      }
});
