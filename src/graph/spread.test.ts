import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import { createRuntime } from "../platform/node.js";
import { elementCount, type Tensor, tensor } from "../tensor.js";
import { compile } from "./compile.js";
import * as ops from "./ops.js";
import { spread } from "./spread.js";
import { type Dim, input, type Value } from "./value.js";

const runtime = createRuntime();
after(() => runtime.dispose());

const noise = (shape: readonly number[]) =>
  tensor(
    "float32",
    shape,
    Float32Array.from({ length: elementCount(shape) }, (_, i) => Math.sin(i * i + 1)),
  );
const size = fc.integer({ min: 1, max: 4 });
const axis = fc.record({
  frames: size,
  taps: size,
  stride: size,
  dilation: size,
  before: size,
  after: size,
  rest: fc.nat(3),
});
const sizes = fc.record({
  batch: size,
  channels: size,
  out: size,
  axes: fc.array(axis, { minLength: 1, maxLength: 2 }),
});

async function numbers(y: Value, feeds: Record<string, Tensor>): Promise<Tensor> {
  const session = await compile(runtime, { y }, async () => new Map());
  const result = await session.run(feeds);
  await session.dispose();
  return result.y!;
}

test("spreading is the transposed convolution, cut and filled; sizes may have names", () =>
  fc.assert(
    fc.asyncProperty(sizes, fc.boolean(), async ({ batch, channels, out, axes }, hasNames) => {
      const [strides, dilations] = [axes.map((a) => a.stride), axes.map((a) => a.dilation)];
      const spans = axes.map((a) => a.dilation * (a.taps - 1));
      const margins = axes.map((a, i) => [Math.min(a.before, spans[i]!), Math.min(a.after, spans[i]!)] as const);
      const whole = axes.map((a, i) => a.stride * (a.frames - 1) + spans[i]! + 1);
      fc.pre(whole.every((length, i) => length > margins[i]![0] + margins[i]![1]));
      const rest = axes.map((a) => Math.min(a.rest, a.stride - 1));
      const feeds = {
        x: noise([batch, channels, ...axes.map((a) => a.frames)]),
        w: noise([channels, out, ...axes.map((a) => a.taps)]),
        bias: noise([out]),
      };
      const shape = feeds.x.shape.map((n, i): Dim => (hasNames && axes.length === 1 && i !== 1 ? `d${i}` : n));
      const [x, w, bias] = [
        input("x", "float32", shape),
        input("w", "float32", feeds.w.shape),
        input("bias", "float32", [out]),
      ];
      const ours = await numbers(spread(x, w, bias, { strides, dilations, margins, rest }), feeds);
      // What is missing at the end is zero before the bias is added.
      const zeros = input("zeros", "float32", [out]);
      const plain = axes.reduce(
        (y, _, i) => {
          const [before, after] = margins[i]!;
          return ops.slice(ops.padAxis(y, i + 2, 0, rest[i]!), i + 2, before, whole[i]! + rest[i]! - after);
        },
        ops.convTranspose(input("x", "float32", feeds.x.shape), w, zeros, strides, dilations),
      );
      const column = ops.unsqueeze(
        bias,
        [...axes.keys()].map((i) => i + 1),
      );
      const theirs = await numbers(ops.add(plain, column), { ...feeds, zeros: tensor("float32", [out]) });
      assert.deepEqual(ours.shape, theirs.shape);
      for (const [i, value] of ours.data.entries())
        assert.ok(Math.abs(Number(value) - Number(theirs.data[i])) < 1e-5, `[${i}]: ${value} is not ${theirs.data[i]}`);
    }),
    { numRuns: 60 },
  ));
