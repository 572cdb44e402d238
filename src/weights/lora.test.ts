import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { openFolder } from "#platform";
import { randomFactors } from "../../test/adapters.js";
import { memoryFolder, memorySource } from "../../test/memory.js";
import { HocketError } from "../errors.js";
import { type Tensor, tensor } from "../tensor.js";
import { addUp, changed, checkFits, readAdapter, readBase, writeAdapter } from "./lora.js";
import { readHeader, writeSafetensors } from "./safetensors.js";

const path = mkdtempSync(join(tmpdir(), "hocket-lora-"));
after(() => rmSync(path, { recursive: true }));

const query = "decoder.model.decoder.layers.0.self_attn.q_proj.weight";
const wide = "decoder.model.decoder.layers.1.fc1.weight";
const factors = randomFactors([[query, [6, 6]] as const, [wide, [10, 6]] as const], 3);
await writeAdapter(path, { base: "some/model", rank: 3, alpha: 6, factors });
const files = Object.fromEntries(
  readdirSync(path).map((name) => [name, new Uint8Array(readFileSync(join(path, name)))]),
);
const config = JSON.parse(new TextDecoder().decode(files["adapter_config.json"])) as Record<string, unknown>;
const written = Object.fromEntries(Object.entries(factors).map(([name, x]) => [`base_model.model.${name}`, x]));

test("there and back is the identity, in PEFT's names", async () => {
  const adapter = await readAdapter(await openFolder(path));
  assert.equal(adapter.base, "some/model");
  assert.equal(await readBase(await openFolder(path)), "some/model");
  assert.equal(adapter.scale, 2);
  assert.deepEqual([...adapter.changes.keys()].sort(), [query, wide]);
  const module = query.replace(/\.weight$/, "");
  assert.deepEqual(adapter.changes.get(query), {
    up: factors[`${module}.lora_B.weight`],
    down: factors[`${module}.lora_A.weight`],
  });
  const source = memorySource("adapter", files["adapter_model.safetensors"]!);
  const { tensors, metadata } = await readHeader(source);
  assert.ok(tensors.has("base_model.model.decoder.model.decoder.layers.0.self_attn.q_proj.lora_A.weight"));
  assert.equal(metadata.format, "pt");
  assert.deepEqual(
    [config.peft_type, config.r, config.lora_alpha, config.target_modules, config.task_type],
    ["LORA", 3, 6, ["fc1", "q_proj"], null],
  );
});

const load = (other: { config?: object | string; weights?: Record<string, Tensor>; without?: string }) => {
  const text = typeof other.config === "string" ? other.config : JSON.stringify({ ...config, ...other.config });
  const all = {
    "adapter_config.json": new TextEncoder().encode(text),
    "adapter_model.safetensors": writeSafetensors(other.weights ?? written),
  };
  return readAdapter(
    memoryFolder(Object.fromEntries(Object.entries(all).filter(([n]) => n !== other.without)), "mine"),
  );
};
const [first, second] = Object.keys(written).sort() as [string, string];
const broken = tensor("float32", written[second]!.shape, (written[second]!.data as Float32Array).slice());
broken.data[4] = Number.NaN;
const { [first]: _, ...half } = written;
const refused: Record<string, [Parameters<typeof load>[0], RegExp]> = {
  "no configuration": [{ without: "adapter_config.json" }, /^mine has no adapter_config\.json/],
  "no weights": [{ without: "adapter_model.safetensors" }, /^mine holds no adapter_model\.safetensors/],
  "a configuration that is no JSON": [{ config: "{" }, /^mine\/adapter_config\.json is not JSON/],
  "a list": [{ config: "[]" }, /adapter_config\.json: /],
  "another kind": [{ config: { peft_type: "IA3" } }, /peft_type: Hocket knows adapters of type LORA/],
  "no rank": [{ config: { r: 0 } }, /: r: /],
  "another rank": [
    { config: { r: 4 } },
    /lora_A\.weight is \[3, 6\], and adapter_config\.json says that the rank is 4/,
  ],
  "ranks that differ": [{ config: { rank_pattern: { fc1: 2 } } }, /rank_pattern: ranks that differ are not supported/],
  "decomposed weights": [{ config: { use_dora: true } }, /use_dora: decomposed weights/],
  biases: [{ config: { bias: "all" } }, /bias: biases that learn/],
  "whole modules": [{ config: { modules_to_save: ["lm_heads"] } }, /modules_to_save: modules that are kept whole/],
  "no number": [{ weights: { ...written, [second]: broken } }, /lora_B\.weight is not a finite number at element 4/],
  "half a change": [{ weights: half }, /of the change to .*q_proj\.weight, there is one factor of two/],
  "a vector": [
    { weights: { ...written, [first]: tensor("float32", [3]) } },
    /has shape \[3\], and a factor is a matrix/,
  ],
  "nothing at all": [{ weights: {} }, /it is empty/],
  "an embedding's factor": [
    { weights: { ...written, "base_model.model.x.lora_embedding_A": tensor("float32", [3, 6]) } },
    /lora_embedding_A is no factor of a matrix's change/,
  ],
};
for (const [what, [other, message]] of Object.entries(refused))
  test(`an adapter with ${what} is refused in one line`, async () => {
    await assert.rejects(load(other), (error: unknown) => {
      assert.ok(error instanceof HocketError);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /\n/);
      return true;
    });
  });

test("whatever the files hold, they are an adapter or refused", async () => {
  const field = fc.constantFrom(...Object.keys(config), "use_rslora", "other");
  await fc.assert(
    fc.asyncProperty(fc.dictionary(field, fc.jsonValue()), fc.uint8Array({ maxLength: 64 }), async (other, bytes) => {
      const weights = files["adapter_model.safetensors"]!;
      for (const content of [weights, bytes, Uint8Array.from([...weights.subarray(0, -64), ...bytes])]) {
        const text = new TextEncoder().encode(JSON.stringify({ ...config, ...other }));
        const folder = memoryFolder({ "adapter_config.json": text, "adapter_model.safetensors": content });
        await readAdapter(folder).catch((error: unknown) => assert.ok(error instanceof HocketError, String(error)));
      }
    }),
    { numRuns: 200 },
  );
});

test("an adapter of another model is refused by name and shape", async () => {
  const adapter = await load({});
  const shapes: Record<string, number[]> = { [query]: [6, 6], [wide]: [10, 6] };
  checkFits(adapter, "base", (name) => shapes[name]);
  assert.throws(
    () => checkFits(adapter, "base", (name) => (name === wide ? [12, 6] : shapes[name])),
    /^HocketError: mine changes .*fc1\.weight of shape \[10, 6\], and base has \[12, 6\]: the adapter is for some\/model$/,
  );
  assert.throws(
    () => checkFits(adapter, "base", () => undefined),
    /q_proj\.weight of shape \[6, 6\], and base has none/,
  );
});

test("changes add up, each at its strength; at strength 0 there are none", async () => {
  const one = await load({});
  const two = { ...(await load({ config: { use_rslora: true } })), location: "two" };
  assert.ok(Math.abs(two.scale - 6 / Math.sqrt(3)) < 1e-12);
  const product = ({ up, down }: { up: Tensor<"float32">; down: Tensor<"float32"> }) => {
    const [rows, rank, columns] = [up.shape[0]!, up.shape[1]!, down.shape[1]!];
    return Array.from({ length: rows * columns }, (_, at) => {
      const [row, column] = [Math.floor(at / columns), at % columns];
      let sum = 0;
      for (let r = 0; r < rank; r++) sum += up.data[row * rank + r]! * down.data[r * columns + column]!;
      return sum;
    });
  };
  const sum = addUp([
    { adapter: one, strength: 0.5 },
    { adapter: two, strength: -1 },
  ]);
  const alone = product(one.changes.get(wide)!);
  const factor = 0.5 * one.scale - two.scale;
  for (const [i, x] of product(sum.get(wide)!).entries()) assert.ok(Math.abs(x - factor * alone[i]!) < 1e-6);
  assert.equal(addUp([{ adapter: one, strength: 0 }]).size, 0);
  // Strength 0 binds the very same weights.
  const bound = new Map([[query, { dtype: "float32" as const, data: new Uint8Array(6 * 6 * 4) }]]);
  const bind = changed(async () => bound, addUp([{ adapter: one, strength: 0 }]));
  assert.deepEqual(await bind([{ name: query, shape: [6, 6] }]), bound);
});
