/**
 * @file A small listener that learns from true renders what genres, instruments, drums and modes sound like: one hidden
 * layer that all questions share. Three of them, each with weights of its own, answer together: they err less than one. The
 * first one's hidden layer is also the space in which distributions of sounds are compared.
 */

import { compile } from "../graph/compile.js";
import { linear } from "../graph/layers.js";
import * as ops from "../graph/ops.js";
import { input, Scope, type Value } from "../graph/value.js";
import type { Runtime, Session } from "../platform/platform.js";
import { type Tensor, tensor } from "../tensor.js";
import { fit, noisy, rowOf, stacked, standard, type Teaching, type Usual, unbound, usual } from "./fit.js";

/** A question and its possible answers. */
export interface Question {
  readonly name: string;
  readonly answers: readonly string[];
}

/** A clip's features and what is true of it; a question without an answer teaches nothing. */
export interface Example {
  readonly features: Float32Array;
  readonly truth: Readonly<Record<string, string | undefined>>;
}

/** What was learnt: everything that a file of it holds. */
export interface Learnt {
  readonly questions: readonly Question[];
  /** Weights, and `mean` and `deviation` of the features, [F]. */
  readonly tensors: Readonly<Record<string, Tensor>>;
}

export interface Judgement {
  /** The likeliest answer to each question. */
  readonly answers: Readonly<Record<string, string>>;
  /** For each question, how likely each answer is, as logarithms. */
  readonly likelihoods: Readonly<Record<string, Float32Array>>;
  /** [hiddenWidth] */
  readonly hidden: Float32Array;
}

export const hiddenWidth = 128;

/** Learns from `examples`. The same seed and examples, the same weights. */
export async function learn(
  runtime: Runtime,
  examples: readonly Example[],
  questions: readonly Question[],
  teaching: Teaching,
): Promise<Learnt> {
  const { mean, deviation } = usual(examples.map((example) => example.features));
  const scope = new Scope();
  const width = mean.length;
  const all = describe(scope, input("features", "float32", ["batch", width]), questions);
  const asked = questions.map(({ name, answers }) => input(name, "float32", ["batch", answers.length]));
  const loss = all
    .flatMap(({ answers }) => answers)
    .map((likelihood, i) => {
      const truth = asked[i % asked.length]!;
      const total = (x: Value) => ops.squeeze(ops.reduceSum(ops.reshape(x, [-1]), [0]), [0]);
      return ops.div(ops.neg(total(ops.mul(likelihood, truth))), ops.add(total(truth), ops.scalar(1e-6)));
    })
    .reduce(ops.add);
  const rows = examples.map(({ features }) => standard(features, { mean, deviation }));
  const feed = (chosen: readonly number[], step: number) => ({
    features: noisy(
      chosen.map((i) => rows[i]!),
      teaching.seed,
      step,
    ),
    ...Object.fromEntries(questions.map((each) => [each.name, truths(chosen, examples, each)])),
  });
  const weights = await fit(runtime, scope, loss, examples.length, feed, teaching);
  const row = (values: Float32Array<ArrayBuffer>) => tensor("float32", [width], values);
  return { questions, tensors: { ...weights, mean: row(mean), deviation: row(deviation) } };
}

/** The listener at work. Whoever made it disposes of it. */
export class Classifier {
  private constructor(
    readonly learnt: Learnt,
    readonly session: Session,
  ) {}

  static async of(runtime: Runtime, learnt: Learnt): Promise<Classifier> {
    const width = learnt.tensors.mean!.shape[0]!;
    const scope = new Scope();
    const all = describe(scope, input("features", "float32", ["batch", width]), learnt.questions);
    const together = (i: number) =>
      ops.logSoftmax(ops.div(all.map(({ answers }) => answers[i]!).reduce(ops.add), ops.scalar(all.length)));
    const outputs = Object.fromEntries(learnt.questions.map(({ name }, i) => [name, together(i)]));
    return new Classifier(learnt, await compile(runtime, { hidden: all[0]!.hidden, ...outputs }, unbound));
  }

  async judge(features: readonly Float32Array[]): Promise<Judgement[]> {
    if (features.length === 0) return [];
    const { questions, tensors } = this.learnt;
    const { mean, deviation, ...weights } = tensors;
    const usual = { mean: mean!.data, deviation: deviation!.data } as Usual;
    const rows = features.map((row) => standard(row, usual));
    const { hidden, ...likelihoods } = await this.session.run({ features: stacked(rows), ...weights });
    return features.map((_, i) => {
      const rows = questions.map(({ name, answers }) => ({ name, answers, row: rowOf(likelihoods[name]!, i).slice() }));
      return {
        answers: Object.fromEntries(
          rows.map(({ name, answers, row }) => [name, answers[row.indexOf(Math.max(...row))]!]),
        ),
        likelihoods: Object.fromEntries(rows.map(({ name, row }) => [name, row])),
        hidden: rowOf(hidden!, i).slice(),
      };
    });
  }

  dispose(): Promise<void> {
    return this.session.dispose();
  }
}

// --- internal ---

const listeners = 3;

/** [B, F] -> of each, its hidden layer [B, hiddenWidth], and for each question the logarithm of how likely each answer is. */
function describe(p: Scope, x: Value, questions: readonly Question[]) {
  return Array.from({ length: listeners }, (_, i) => {
    const hidden = ops.relu(linear(p.at(`${i}.hidden`), x, hiddenWidth, { bias: true }));
    const answers = questions.map(({ name, answers }) =>
      ops.logSoftmax(linear(p.at(`${i}.answers`).at(name), hidden, answers.length, { bias: true })),
    );
    return { hidden, answers };
  });
}

/** [B, answers]: 1 at the true answer of each example; a row of zeros where there is none. */
function truths(chosen: readonly number[], examples: readonly Example[], { name, answers }: Question): Tensor {
  const whole = tensor("float32", [chosen.length, answers.length]);
  for (const [row, i] of chosen.entries()) {
    const answer = answers.indexOf(examples[i]!.truth[name] ?? "");
    if (answer >= 0) whole.data[row * answers.length + answer] = 1;
  }
  return whole;
}
