import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import { largestDifference } from "../../test/golden.js";
import { bindTensors, flat } from "../../test/models.js";
import { type Codes, codes, frameCount, sliceFrames } from "../codes.js";
import { createRuntime } from "../platform/node.js";
import { elementCount, type Tensor, tensor } from "../tensor.js";
import { type CodecConfig, codecConfig } from "./config.js";
import { Encodec } from "./encodec.js";

const runtime = createRuntime();
after(() => runtime.dispose());

/** A codec of any shape that a config can state, with seeded random weights. */
function randomCodec(config: CodecConfig, codebooks: number): Encodec {
  const described = new Encodec(config, codebooks, runtime, async () => new Map()).describe();
  let state = 1;
  const noise = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  const weights = new Map<string, Tensor>();
  for (const [name, value] of described.weights) {
    const shape = value.shape as readonly number[];
    const size = name.endsWith("weight_g") ? 2 : 1;
    weights.set(
      name,
      tensor(
        "float32",
        shape,
        Float32Array.from({ length: elementCount(shape) }, () => size * noise()),
      ),
    );
  }
  return new Encodec(config, codebooks, runtime, bindTensors(weights));
}

const configs = fc
  .record({
    upsampling_ratios: fc.array(fc.integer({ min: 2, max: 5 }), { minLength: 1, maxLength: 3 }),
    num_residual_layers: fc.integer({ min: 0, max: 3 }),
    num_lstm_layers: fc.integer({ min: 0, max: 2 }),
    use_causal_conv: fc.boolean(),
    pad_mode: fc.constantFrom("reflect", "constant"),
    kernel_size: fc.constantFrom(3, 5, 7),
    last_kernel_size: fc.constantFrom(1, 3, 7),
    residual_kernel_size: fc.constantFrom(3, 5),
    dilation_growth_rate: fc.integer({ min: 1, max: 3 }),
    compress: fc.constantFrom(1, 2),
    trim_right_ratio: fc.constantFrom(0, 0.5, 1),
    use_conv_shortcut: fc.boolean(),
    audio_channels: fc.constantFrom(1, 2),
  })
  .map((shape) =>
    codecConfig({ num_filters: 2, hidden_size: 6, codebook_size: 16, codebook_dim: 6, ...shape }, "random"),
  );

test("whatever the codec's shape, a clip in windows has the codes and sound of the whole clip", async () => {
  await fc.assert(
    fc.asyncProperty(
      configs,
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 0, max: 4 }),
      async (config, frames, cutOff) => {
        const codec = randomCodec(config, 2);
        const length = Math.max(1, frames * codec.hop - cutOff);
        const samples = [
          Array.from({ length: config.audio_channels }, (_, c) =>
            Float32Array.from({ length }, (_, i) => Math.sin(i * 0.37 + c + (i * i) / 997)),
          ),
        ];
        const [whole] = await codec.encode(samples, { window: 1e6 });
        const [windows] = await codec.encode(samples, { window: 3 });
        // Latents of the two differ by rounding, so the rare code that is a tie may differ.
        const [a, b] = [flat(whole!.codes), flat(windows!.codes)];
        assert.equal(a.length, b.length);
        assert.ok(a.filter((code, i) => code !== b[i]).length <= a.length / 50, "codes differ");

        const grid = whole!.codes[0]!;
        assert.ok(
          largestDifference(await decoded(codec, grid, 1, 4), await decoded(codec, grid, 1e6, 1e6)) < 1e-4,
          "sound differs",
        );
        await codec.dispose();
      },
    ),
    { numRuns: 25, seed: 7 },
  );
});

async function decoded(codec: Encodec, grid: Codes, step: number, window: number): Promise<number[]> {
  const stream = await codec.decoder(undefined, window);
  const pieces: number[][] = Array.from({ length: codec.config.audio_channels }, () => []);
  const take = (samples: readonly (readonly Float32Array[])[]) => {
    for (const [c, row] of samples[0]!.entries()) pieces[c]!.push(...row);
  };
  for (let t = 0; t < frameCount(grid); t += step) take(await stream.push([codes(sliceFrames(grid, t, t + step))]));
  take(await stream.finish(1));
  assert.equal(pieces[0]!.length, frameCount(grid) * codec.hop);
  return pieces.flat();
}
