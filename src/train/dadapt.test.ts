import assert from "node:assert/strict";
import { after, test } from "node:test";
import { compile } from "../graph/compile.js";
import { differentiate } from "../graph/differentiate.js";
import * as ops from "../graph/ops.js";
import { input, Scope } from "../graph/value.js";
import { createRuntime } from "../platform/node.js";
import { type Tensor, tensor } from "../tensor.js";
import {
  type DAdaptConfig,
  dadaptAll,
  dadaptNames,
  distanceName,
  musicgenDAdapt,
  sizesName,
  startDAdapt,
} from "./dadapt.js";

const runtime = createRuntime();
after(() => runtime.dispose());

const shapes = { a: [6], "b.weight": [2, 3] } as const;
const weights = new Scope();
for (const [name, shape] of Object.entries(shapes)) weights.weight(name, shape);
const names = Object.keys(shapes);

/** The formulas of the specification, one after the other. */
class Plain {
  d: number;
  r = 0;
  readonly m = names.map(() => new Float64Array(6));
  readonly v = names.map(() => new Float64Array(6));
  readonly s = names.map(() => new Float64Array(6));
  constructor(
    readonly c: DAdaptConfig,
    readonly p: Float64Array[],
  ) {
    this.d = c.distance;
  }

  step(gradients: readonly Float64Array[], lr: number): void {
    const { beta1: b1, beta2: b2, epsilon, weightDecay, growth } = this.c;
    const dlr = this.d * lr;
    let [G, Q, L] = [0, 0, 0];
    for (const [i, g] of gradients.entries())
      for (let j = 0; j < 6; j++) {
        const [m, v, s] = [this.m[i]!, this.v[i]!, this.s[i]!];
        m[j] = b1 * m[j]! + (1 - b1) * dlr * g[j]!;
        v[j] = b2 * v[j]! + (1 - b2) * g[j]! ** 2;
        s[j] = b2 * s[j]! + (1 - b2) * dlr * g[j]!;
        const den = Math.sqrt(v[j]!) + epsilon;
        G += g[j]! ** 2 / den;
        Q += s[j]! ** 2 / den;
        L += Math.abs(s[j]!);
      }
    if (L === 0) return;
    this.r = b2 * this.r + (1 - b2) * dlr ** 2 * G;
    this.d = Math.max(this.d, Math.min((Q / (1 - b2) - this.r) / L, this.d * growth));
    for (const [i, p] of this.p.entries())
      for (let j = 0; j < 6; j++) {
        p[j] = p[j]! - weightDecay * dlr * p[j]!;
        p[j] = p[j]! - this.m[i]![j]! / (Math.sqrt(this.v[i]![j]!) + epsilon);
      }
  }
}

const targets = names.map((_, i) => Float64Array.from({ length: 6 }, (_, j) => Math.sin(3 * i + j) + 1));
const start = names.map((_, i) => Float64Array.from({ length: 6 }, (_, j) => Math.fround(Math.cos(i + 2 * j) / 8)));
const asTensor = (i: number, numbers: Float64Array) =>
  tensor("float32", shapes[names[i] as keyof typeof shapes], Float32Array.from(numbers));
const near = (a: number, b: number, most: number) => Math.abs(a - b) <= most * Math.max(Math.abs(a), Math.abs(b));

for (const [what, config] of [
  ["as MusicGen uses it", musicgenDAdapt],
  ["with a bound on growth", { ...musicgenDAdapt, growth: 1.5, distance: 1e-3, weightDecay: 0.02 }],
] as const)
  test(`thirty steps are those of the formulas, ${what}`, async () => {
    const slopes = names.map((name) => input(`d ${name}`, "float32", shapes[name as keyof typeof shapes]));
    const session = await compile(
      runtime,
      dadaptAll(weights.weights, slopes, input("rate", "float32", []), config),
      async () => new Map(),
    );
    const plain = new Plain(
      config,
      start.map((p) => p.slice()),
    );
    let state: Record<string, Tensor> = {
      ...startDAdapt(weights.weights, config),
      ...Object.fromEntries(names.map((name, i) => [name, asTensor(i, start[i]!)])),
    };
    for (let step = 0; step < 30; step++) {
      // Of the distance to the target; at first nothing pulls, then at a rate of 0, then as a schedule would.
      const gradients = plain.p.map((p, i) => p.map((x, j) => (step < 2 ? 0 : x - targets[i]![j]!)));
      const rate = step < 4 ? 0 : Math.min(1, step / 8);
      const before = state;
      plain.step(gradients, rate);
      state = (await session.run({
        ...state,
        rate: tensor("float32", [], Float32Array.of(rate)),
        ...Object.fromEntries(gradients.map((g, i) => [`d ${names[i]}`, asTensor(i, g)])),
      })) as Record<string, Tensor>;
      assert.ok(near(state[distanceName]!.data[0] as number, plain.d, 1e-4), `step ${step}: d`);
      assert.ok(near(state[sizesName]!.data[0] as number, plain.r, 1e-4), `step ${step}: r`);
      if (step < 4) for (const name of names) assert.deepEqual(state[name], before[name], "nothing has moved: no step");
      for (const [i, name] of names.entries()) {
        const kept = [plain.p, plain.m, plain.v, plain.s].map((all) => all[i]!);
        for (const [k, each] of [name, ...dadaptNames(name)].entries())
          for (const [j, x] of (state[each]!.data as Float32Array).entries())
            assert.ok(
              Math.abs(x - kept[k]![j]!) <= 1e-4 * Math.abs(kept[k]![j]!) + 1e-9,
              `step ${step}, ${each}[${j}]: ${x}, not ${kept[k]![j]}`,
            );
      }
    }
    assert.ok(plain.d > 10 * config.distance, `the distance grows, to ${plain.d}`);
  });

test("it finds the bottom of a bowl without being told a rate", async () => {
  const target = input("target", "float32", [6]);
  const bowl = new Scope();
  const off = ops.sub(bowl.weight("a", [6]), target);
  const loss = ops.squeeze(ops.reduceSum(ops.mul(off, off), [0]), [0]);
  const config = { ...musicgenDAdapt, weightDecay: 0 };
  const next = dadaptAll(
    bowl.weights,
    differentiate(loss, [...bowl.weights.values()]),
    input("rate", "float32", []),
    config,
  );
  const session = await compile(runtime, { loss, ...next }, async () => new Map());
  let state: Record<string, Tensor> = { ...startDAdapt(bowl.weights, config), a: tensor("float32", [6]) };
  const losses: number[] = [];
  for (let step = 0; step < 400; step++) {
    const fed = {
      target: tensor("float32", [6], Float32Array.of(1, -2, 3, 0.5, 0, 10)),
      // As its recipe does: falling to nothing.
      rate: tensor("float32", [], Float32Array.of((1 + Math.cos((Math.PI * step) / 400)) / 2)),
    };
    const { loss, ...after } = await session.run({ ...state, ...fed });
    losses.push((loss!.data as Float32Array)[0]!);
    state = after as Record<string, Tensor>;
  }
  assert.ok(losses.at(-1)! < losses[0]! / 1e4, `${losses[0]} to ${losses.at(-1)}`);
});
