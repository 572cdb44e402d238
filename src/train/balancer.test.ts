import { after, test } from "node:test";
import { assertClose, expected, inputs } from "../../test/codec-training.js";
import { named } from "../../test/golden.js";
import { compile } from "../graph/compile.js";
import { differentiate } from "../graph/differentiate.js";
import * as ops from "../graph/ops.js";
import { input, type Value } from "../graph/value.js";
import { createRuntime } from "../platform/node.js";
import type { Tensor } from "../tensor.js";
import { type BalancerConfig, balance, balancerState, encodecBalancer } from "./balancer.js";
import { l1, sum } from "./distance.js";

const runtime = createRuntime();
after(() => runtime.dispose());

const settings: Record<string, BalancerConfig> = {
  per_item: encodecBalancer,
  whole: { ...encodecBalancer, perItem: false },
  decay05: { ...encodecBalancer, decay: 0.5, total: 2 },
};

for (const [name, setting] of Object.entries(settings))
  test(`${name}: two steps pull as the reference's`, async () => {
    const [y, t1, t2] = ["y", "t1", "t2"].map((each) => input(each, "float32", [3, 1, 5])) as [Value, Value, Value];
    const apart = ops.sub(y, t2);
    const losses = { a: l1(y, t1), b: sum(ops.mul(apart, apart)) };
    const pull = (loss: Value, weight: number) => ({ loss, weight, slope: differentiate(loss, [y])[0]! });
    const { slope, loss, next } = balance({ a: pull(losses.a, 1), b: pull(losses.b, 3) }, setting);
    const session = await compile(runtime, { slope, loss, ...next }, async () => new Map());
    const toy = (each: string) => named(inputs, `bal.${each}`);
    let state = balancerState(["a", "b"]);
    for (const [i, [first, second]] of [["t1", "t2"] as const, ["t2", "t1"] as const].entries()) {
      const feeds = { y: toy("y"), t1: toy(first), t2: toy(second) };
      const { slope, loss, ...rest } = await session.run({ ...feeds, ...state });
      const key = `balancer.${name}.step${i + 1}`;
      assertClose(slope, expected.get(`${key}.grad`), 1e-6, key);
      assertClose(loss, expected.get(`${key}.effective_loss`), 1e-4, key);
      state = rest as Record<string, Tensor>;
    }
  });
