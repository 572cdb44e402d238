/**
 * @file What a step costs beside the language model: columns on their way to the computing thread and odds on their way back,
 * guidance, the draw, and codes on their way out. Measured as a piece composed by a model that computes nothing.
 */

import { compile } from "../graph/compile.js";
import * as ops from "../graph/ops.js";
import { input } from "../graph/value.js";
import { compose } from "../lm/compose.js";
import { type Condition, planRows } from "../lm/condition.js";
import type { LmConfig } from "../lm/config.js";
import { Decoding } from "../lm/lm.js";
import { defaultSampling } from "../lm/sampling.js";
import type { Runtime } from "../platform/platform.js";
import { tensor } from "../tensor.js";
import { noise } from "./noise.js";
import { timed } from "./row.js";

/** Half a minute. */
const frames = 1500;

/** Milliseconds a step, of a piece with guidance. */
export async function hostWork(runtime: Runtime, config: LmConfig, condition: Condition): Promise<number> {
  const plan = planRows([condition], true);
  const shape = [plan.rows.length, config.num_codebooks, config.vocab_size];
  const held = {
    odds: tensor(
      "float32",
      shape,
      noise(
        shape.reduce((a, b) => a * b),
        "float32",
      ).map((x) => 100 * x),
    ),
  };
  const fed = [
    input("columns", "int64", ["R", config.num_codebooks, "S"]),
    input("positions", "float32", [1, "P", config.hidden_size]),
    input("last", "int32", ["R"]),
    input("count", "int32", [1]),
  ].map((value) => ops.reduceSum(ops.cast(value, "float32"), [...value.shape.keys()]));
  const none = fed.map((sum) => ops.reshape(ops.mul(sum, ops.scalar(0)), [1])).reduce(ops.add);
  const logits = ops.add(input("odds", "float32", shape), none);
  const session = await compile(runtime, { logits }, async () => new Map(), { threads: 1 });
  const open = async () =>
    new Decoding(
      config,
      plan,
      session,
      await session.open(held, [{ output: "logits", dtype: "float32", shape }]),
      undefined,
      undefined,
    );
  let steps = 0;
  const piece = async () => {
    for await (const { step } of compose({ config, open }, [{ condition, seed: 1 }], {
      frames,
      guidance: 3,
      sampling: defaultSampling,
    }))
      steps = step;
  };
  await piece(); // compiles what it runs
  const took = await timed(piece);
  await session.dispose();
  return took / steps;
}
