import assert from "node:assert/strict";
import test from "node:test";
import type { Entry } from "../data/manifest.js";
import { type Family, families } from "../recipe/score.js";
import { styleNames } from "../recipe/words.js";
import type { Clip } from "./clips.js";
import { agreement } from "./follow.js";
import type { Judged } from "./judges.js";
import { controlOf } from "./lm-run.js";
import { choosePrompts, moved, swapsOf } from "./prompts.js";
import { percent, table } from "./report.js";
import { answersOf, questions, type Truth, truthOf, withPace } from "./truth.js";

const styles = Object.keys(styleNames);
const leads = families.filter((family) => family !== "drums" && family !== "bass");

/** A clip of which everything is known. Of each thing one value is common: four clips of five have it. */
function clip(i: number): Clip {
  const rare = i % 5 === 0;
  const labels = {
    seed: i,
    style: rare ? styles[i % 16]! : "rock",
    bpm: rare ? 60 + ((7 * i) % 110) : 120,
    tempo: [],
    key: 0,
    mode: rare && i % 2 === 0 ? "minor" : "major",
    drums: !(rare && i % 3 === 0),
    parts: [{ role: "lead", family: rare ? leads[i % leads.length]! : "piano", font: null, notes: 20 }],
  };
  const entry = { path: `${i}.flac`, duration: 10, labels } as unknown as Entry;
  return { name: `${i}`, entry, load: async () => ({ sampleRate: 1, channels: [] }) };
}
const clips = Array.from({ length: 200 }, (_, i) => clip(i));

test("what is asked is balanced, even where most clips are alike, and half of it in new words", () => {
  const asked = choosePrompts(clips, 40);
  assert.equal(asked.length, 40);
  assert.equal(new Set(asked.map(({ clip }) => clip.name)).size, 40);
  assert.equal(asked.filter(({ heldOut }) => heldOut).length, 20);
  assert.ok(asked.filter(({ truth }) => truth.style === "rock").length <= 10);
  assert.ok(asked.filter(({ truth }) => truth.mode === "minor").length >= 15);
  for (const { prompt, truth } of asked) {
    assert.ok(prompt.length > 0);
    assert.equal(/\bminor\b|[A-G](#|b)?m\b/.test(prompt), truth.mode === "minor", prompt);
  }
});

test("the two prompts of a swap differ, and only where they are meant to", () => {
  const swaps = swapsOf(choosePrompts(clips, 12), 5);
  assert.deepEqual([...new Set(swaps.map(({ kind }) => kind))], ["tempo", "drums", "mode", "lead"]);
  for (const { kind, prompts } of swaps) {
    const wordsOf = (text: string): string[] => text.toLowerCase().match(/[a-z0-9#]+/g) ?? [];
    const gone = wordsOf(prompts[0]).filter((word) => !wordsOf(prompts[1]).includes(word));
    assert.ok(prompts[0] !== prompts[1] && gone.length <= 5, `${kind}: ${prompts.join(" / ")}`);
  }
});

const verdict = (truth: Truth): Judged => ({
  verdict: {
    bpm: truth.bpm ?? Number.NaN,
    key: { tonic: truth.key ?? 0, mode: truth.mode ?? "major" },
    ruled: { tonic: truth.key ?? 0, mode: truth.mode ?? "major" },
    answers: Object.fromEntries(Object.entries(answersOf(truth)).map(([name, answer]) => [name, answer ?? ""])),
  },
  likelihoods: Object.fromEntries(
    questions.map(({ name, answers }) => {
      const answer = answersOf(truth)[name];
      return [name, Float32Array.from(answers, (each) => (each === answer ? -0.1 : -5))];
    }),
  ),
  hidden: new Float32Array(2),
});

test("a model that does all that is asked reaches the ceiling, one that does nothing stays at chance", () => {
  const asked = choosePrompts(clips, 40);
  const right = asked.map(({ truth }) => verdict(truth));
  const perfect = controlOf(asked, right, right);
  for (const [name, { scaled, accuracy, ceiling }] of Object.entries(perfect.control))
    assert.deepEqual([accuracy, ceiling, scaled], [1, 1, 1], name);
  assert.deepEqual(perfect.mean, { scaled: 1, interval: [1, 1] });

  const always = asked.map(() =>
    verdict({ style: "rock", bpm: 120, key: 0, mode: "major", drums: true, lead: "piano" }),
  );
  const { control, mean } = controlOf(asked, always, right);
  assert.ok(Math.abs(mean.scaled) < 0.03, `${mean.scaled}`);
  assert.ok(mean.interval[0] < 0.05 && mean.interval[1] > -0.05);
  assert.ok(control.drums!.accuracy > 0.4, "the commonest answer is often right, and earns nothing");

  const half = asked.map(({ truth }, i) => (i % 4 < 2 ? right[i]! : verdict({ ...truth, drums: !truth.drums })));
  const halves = controlOf(asked, half, right).control;
  assert.equal(halves.drums!.accuracy, 0.5);
  assert.equal(halves.mode!.scaled, 1);
});

test("a ceiling below 1 raises what is scaled by it", () => {
  const asked = choosePrompts(clips, 40);
  const deaf = asked.map(({ truth }, i) => verdict(i % 4 === 0 ? { ...truth, mode: undefined, key: 5 } : truth));
  const { ceiling, scaled } = controlOf(asked, deaf, deaf).control.key!;
  assert.ok(ceiling < 1 && Math.abs(scaled - 1) < 1e-12);
});

test("a swap has moved when what is measured grew", () => {
  const swap = (kind: string) => swapsOf(choosePrompts(clips, 4), 1).find((each) => each.kind === kind)!;
  const pairs: Record<string, readonly [Truth, Truth]> = {
    tempo: [{ bpm: 90 }, { bpm: 140 }],
    drums: [{ drums: false }, { drums: true }],
    mode: [{ mode: "major" }, { mode: "minor" }],
    lead: [{ lead: "piano" }, { lead: "violin" }],
  };
  for (const [kind, [first, second]] of Object.entries(pairs)) {
    assert.ok(moved(swap(kind), verdict(first), verdict(second)), kind);
    assert.ok(!moved(swap(kind), verdict(second), verdict(first)), kind);
    assert.ok(!moved(swap(kind), verdict(first), verdict(first)), kind);
  }
});

test("labels are truths as far as they are certain", () => {
  const labels = clips[0]!.entry.labels as Record<string, unknown>;
  const truth = (more: Record<string, unknown>) => truthOf({ labels: { ...labels, ...more } });
  assert.deepEqual(truth({}).bpm, labels.bpm);
  assert.equal(truth({ tempo: [[5, 40]] }).bpm, undefined);
  assert.deepEqual([truth({ mode: "dorian" }).mode, truth({ key: null }).key], [undefined, undefined]);
  assert.equal(truth({ parts: [] }).lead, undefined);
  assert.deepEqual(truthOf({ labels: undefined }), {});
  const lead = (family: Family) => answersOf({ lead: family }).lead;
  assert.equal(lead("distorted guitar"), lead("acoustic guitar"));
});

test("of three tempi an octave apart, the likely one is meant", () => {
  const { answers } = questions.find(({ name }) => name === "pace")!;
  const likely = (bpm: number) => Float32Array.from(answers, (each) => (each === answersOf({ bpm }).pace ? -0.1 : -4));
  assert.equal(withPace(70, likely(140)), 140);
  assert.equal(withPace(140, likely(140)), 140);
  assert.equal(withPace(160, likely(80)), 80);
  assert.equal(withPace(100, new Float32Array(answers.length)), 100);
});

test("tunes agree where their pitch classes do", () => {
  assert.equal(agreement(Int32Array.of(1, 2, 3, 4), Int32Array.of(1, 2, 0, 4)), 0.75);
  assert.equal(agreement(Int32Array.of(1, 2), Int32Array.of(1, 2, 3)), 1);
});

test("tables stand in columns", () => {
  assert.equal(table(["a", "bb"], [["long", "1"]]), "| a    |  bb |\n|------|----:|\n| long |   1 |");
  assert.deepEqual([percent(0.756), percent(Number.NaN)], ["76 %", "-"]);
});
