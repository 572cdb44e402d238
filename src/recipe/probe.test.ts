import assert from "node:assert/strict";
import { test } from "node:test";
import { fixture } from "../../test/scores.js";
import { caption } from "./captions.js";
import { drawsOf } from "./draw.js";
import { factsOf } from "./facts.js";
import type { Score } from "./score.js";
import type { Slot } from "./templates.js";
import { paces } from "./words.js";

/** A caption as a bag of words, and what it says. */
interface Said {
  readonly score: Score;
  readonly words: readonly string[];
  readonly stated: ReadonlySet<Slot>;
}

const said = (first: number, count: number): Said[] =>
  Array.from({ length: count }, (_, i) => {
    const score = fixture(first + (i >> 1));
    const { text, stated } = caption(factsOf(score), drawsOf(first + i, 1));
    return { score, words: text.toLowerCase().match(/[a-z]+#?|\d+|#/g) ?? [], stated };
  });
const [learnt, unseen] = [said(0, 16_000), said(100_000, 3000)];

/** Multinomial logistic regression on words, by stochastic gradient descent; the share of `unseen` that it gets right. */
function recovered(slots: readonly Slot[], not: readonly Slot[], answer: (score: Score) => string): number {
  const fits = ({ stated }: Said) => slots.some((slot) => stated.has(slot)) && !not.some((slot) => stated.has(slot));
  const [training, asked] = [learnt.filter(fits), unseen.filter(fits)];
  const answers = [...new Set(training.map(({ score }) => answer(score)))];
  const weights = new Map<string, Float64Array>();
  const odds = (words: readonly string[]) => {
    const sums = answers.map((_, k) => words.reduce((sum, word) => sum + (weights.get(word)?.[k] ?? 0), 0));
    const most = Math.max(...sums);
    const all = sums.map((sum) => Math.exp(sum - most));
    const total = all.reduce((sum, x) => sum + x, 0);
    return all.map((x) => x / total);
  };
  for (const rate of [0.5, 0.3, 0.2, 0.1])
    for (const { words, score } of training) {
      const right = answers.indexOf(answer(score));
      for (const [k, p] of odds(words).entries()) {
        const change = rate * ((k === right ? 1 : 0) - p);
        if (Math.abs(change) > 1e-3)
          for (const word of words) {
            if (!weights.has(word)) weights.set(word, new Float64Array(answers.length));
            weights.get(word)![k]! += change;
          }
      }
    }
  const right = asked.filter(({ words, score }) => {
    const all = odds(words);
    return answers[all.indexOf(Math.max(...all))] === answer(score);
  });
  assert.ok(asked.length > 150, `${asked.length} captions state ${slots}`);
  return right.length / asked.length;
}

const band = ({ bpm }: Score) => String(paces.findIndex(({ below }) => bpm < below));
const leadOf = ({ parts }: Score) => parts.find(({ role }) => role === "lead")!.family;

// data.md §7.6: what a bag of words cannot find in a caption, a model of sound cannot learn from it.
for (const [what, slots, not, answer] of [
  ["the band of the tempo", ["bpm", "pace"], [], band],
  ["the mode", ["key"], [], ({ mode }) => mode],
  ["the lead's family", ["lead"], ["band", "form"], leadOf],
  ["the style", ["style"], [], ({ style }) => style],
  ["whether there are drums", ["drums"], [], ({ parts }) => String(parts.some(({ role }) => role === "drums"))],
] as [string, Slot[], Slot[], (score: Score) => string][])
  test(`where a caption states it, its words give away ${what}`, (t) => {
    const share = recovered(slots, not, answer);
    t.diagnostic(`${(100 * share).toFixed(1)} %`);
    assert.ok(share > 0.95, `${share}`);
  });
