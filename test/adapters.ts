/** @file For tests: adapters of random numbers, for any model. */

import { philox } from "../src/lm/random.js";
import { elementCount, type Tensor, tensor } from "../src/tensor.js";
import { factorNames } from "../src/weights/lora.js";

/** Both factors of a change to each of the weights named, small but not zero. */
export function randomFactors(
  weights: Iterable<readonly [string, readonly number[]]>,
  rank: number,
  seed = 1,
): Record<string, Tensor> {
  let count = 0;
  const drawn = (shape: readonly number[]) =>
    tensor(
      "float32",
      shape,
      Float32Array.from(
        { length: elementCount(shape) },
        () => philox([count++, 0, 0, 0], [seed, 0])[0] / 2 ** 32 - 0.5,
      ),
    );
  return Object.fromEntries(
    [...weights].flatMap(([name, [out, depth]]) => {
      const [a, b] = factorNames(name);
      return [[a, drawn([rank, depth!])] as const, [b, drawn([out!, rank])] as const];
    }),
  );
}
