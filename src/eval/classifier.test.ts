import assert from "node:assert/strict";
import { after, test } from "node:test";
import { dice } from "../../test/synthetic.js";
import { createRuntime } from "../platform/node.js";
import { Classifier, type Example, hiddenWidth, learn } from "./classifier.js";
import { learnMatching, placesOf, recall, wordsOf } from "./matcher.js";

const runtime = createRuntime();
after(() => runtime.dispose());

const questions = [
  { name: "colour", answers: ["red", "green", "blue"] },
  { name: "size", answers: ["small", "large"] },
];

/** The first three features say the colour, the fourth the size, of which a third of the examples say nothing. */
function examples(count: number, seed: number): Example[] {
  const random = dice(seed);
  return Array.from({ length: count }, () => {
    const colour = Math.floor(3 * random());
    const large = random() < 0.5;
    const noise = () => 0.4 * (random() - 0.5);
    const features = Float32Array.of(
      ...[0, 1, 2].map((c) => +(c === colour) + noise()),
      100 * (+large + noise()),
      noise(),
      5,
    );
    const size = random() < 0.3 ? undefined : questions[1]!.answers[+large];
    return { features, truth: { colour: questions[0]!.answers[colour], size } };
  });
}

test("a listener learns what can be told apart, and tells it of clips it never heard", async () => {
  const learnt = await learn(runtime, examples(300, 1), questions, { seed: 1, epochs: 8 });
  const listener = await Classifier.of(runtime, learnt);
  const fresh = examples(100, 2);
  const judged = await listener.judge(fresh.map(({ features }) => features));
  for (const { name } of questions) {
    const asked = fresh.flatMap(({ truth }, i) => (truth[name] === undefined ? [] : [i]));
    const right = asked.filter((i) => judged[i]!.answers[name] === fresh[i]!.truth[name]);
    assert.ok(right.length >= 0.97 * asked.length, `${name}: ${right.length} of ${asked.length}`);
  }
  assert.equal(judged[0]!.hidden.length, hiddenWidth);
  await listener.dispose();
});

test("the same seed learns the same, another seed something else", async () => {
  const [a, b, c] = await Promise.all(
    [1, 1, 2].map((seed) => learn(runtime, examples(80, 3), questions, { seed, epochs: 2 })),
  );
  assert.deepEqual(a, b);
  assert.notDeepEqual(a!.tensors["0.hidden.weight"], c!.tensors["0.hidden.weight"]);
});

test("words and sounds that belong together are found among 32, fresh ones too; by chance they are not", async () => {
  const moods = ["calm", "wild", "sad", "bright", "odd", "grand", "plain", "dark"];
  const pairs = (count: number, seed: number) => {
    const random = dice(seed);
    return Array.from({ length: count }, (_, i) => {
      const [a, b] = [Math.floor(8 * random()), Math.floor(8 * random())];
      const features = Float32Array.from({ length: 16 }, (_, f) => +(f === a) + +(f === 8 + b) + 0.3 * random());
      return {
        features,
        captions: [`${moods[a]} music at ${60 + 15 * b} bpm`, `a ${moods[a]} tune, ${60 + 15 * b}`],
        i,
      };
    });
  };
  const learnt = await learnMatching(runtime, pairs(640, 4), { seed: 1, epochs: 12 });
  const fresh = pairs(64, 5);
  const texts = fresh.map(({ captions }) => captions[1]!);
  const places = await placesOf(
    runtime,
    learnt,
    fresh.map(({ features }) => features),
    texts,
  );
  const found = recall(places, 32);
  assert.ok(found.first > 0.6 && found.firstFive > 0.95, `${JSON.stringify(found)}`);
  const apart = recall({ sounds: places.sounds, texts: places.texts.toReversed() }, 32);
  assert.ok(apart.first < 0.2 && apart.firstFive < 0.4, `${JSON.stringify(apart)}`);
});

test("a text is its words and their order, and tempi that are near are the same", () => {
  assert.deepEqual(wordsOf("Calm piano, 90 BPM"), wordsOf("calm   PIANO 91 bpm"));
  assert.notDeepEqual(wordsOf("calm piano 90"), wordsOf("calm piano 140"));
  assert.notDeepEqual(wordsOf("no drums, piano"), wordsOf("drums, no piano"));
});
