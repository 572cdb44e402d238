import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { repositoryFile } from "../test/golden.js";
import { memoryFolder } from "../test/memory.js";
import { noRuntime } from "../test/random-model.js";
import { HocketError } from "./errors.js";
import { loadCodec, loadModel } from "./model.js";

type Files = Readonly<Record<string, Uint8Array | string | undefined>>;
type Json = { [key: string]: unknown };

const mini = repositoryFile("models/mini-reference");
const files = Object.fromEntries(
  readdirSync(mini).map((name) => [name, new Uint8Array(readFileSync(join(mini, name)))]),
);
const json = (name: string) => JSON.parse(new TextDecoder().decode(files[name])) as Json;
const weights = files["model.safetensors"]!;
const start = 8 + Number(new DataView(weights.buffer, weights.byteOffset).getBigUint64(0, true));
type Header = Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;
const header = JSON.parse(new TextDecoder().decode(weights.subarray(8, start))) as Header;

/** The model with other files, or without those that are undefined; its text in place of bytes. */
async function load(other: Files, what: typeof loadModel | typeof loadCodec = loadModel): Promise<void> {
  const merged = Object.entries({ ...files, ...other }).filter(([, content]) => content !== undefined);
  const bytes = merged.map(([name, content]) => [
    name,
    typeof content === "string" ? new TextEncoder().encode(content) : content!,
  ]);
  const model = await what(memoryFolder(Object.fromEntries(bytes), "mini"), "mini", noRuntime);
  await model.dispose();
}

/** The file with the field at `path` ("decoder.vocab_size") changed; undefined removes it. */
function changed(name: string, path: string, value: unknown): Files {
  const root = json(name);
  const keys = path.split(".");
  const last = keys.pop()!;
  const parent = keys.reduce((object, key) => object[key] as Json, root);
  parent[last] = value;
  return { [name]: JSON.stringify(root) };
}
const config = (path: string, value: unknown) => changed("config.json", path, value);
const generation = (path: string, value: unknown) => changed("generation_config.json", path, value);

/** The weights with another header, padded so that the numbers stay where they are or move by `moved` bytes. */
function reheaded(edit: (header: Header) => void, data: Uint8Array = weights.subarray(start)): Files {
  const copy = structuredClone(header);
  edit(copy);
  const text = new TextEncoder().encode(JSON.stringify(copy));
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return { "model.safetensors": bytes };
}

/** The file, of which each tensor's bytes are still used once; the name that `edit` gets is the last in the file. */
const last = Object.entries(header)
  .filter(([name]) => name !== "__metadata__")
  .reduce((a, b) => (a[1].data_offsets[1] > b[1].data_offsets[1] ? a : b))[0];

test("the model as it is loads, and so does its codec alone", async () => {
  await load({});
  await load({}, loadCodec);
  await load({ "generation_config.json": undefined, "tokenizer.json": undefined, "README.md": undefined });
});

const cases: Record<string, [Files, RegExp]> = {
  "no configuration": [{ "config.json": undefined }, /^mini has no config.json: give the folder of a model/],
  "an empty configuration": [{ "config.json": "" }, /^mini\/config.json is not a JSON object/],
  "a list for a configuration": [{ "config.json": "[1]" }, /^mini\/config.json is not a JSON object/],
  "another model": [config("model_type", "bert"), /describes a model of type "bert"; Hocket knows musicgen, /],
  "no type": [config("model_type", undefined), /mini\/config.json does not say its model_type/],
  "no codec described": [config("audio_encoder", undefined), /config.json does not describe its "audio_encoder"/],
  "no text encoder described": [config("text_encoder", "t5"), /config.json does not describe its "text_encoder"/],
  "no language model described": [config("decoder", [1]), /config.json does not describe its "decoder"/],
  "no heads": [config("decoder.num_attention_heads", 0), /\(decoder\).*num_attention_heads/],
  "heads that do not divide": [config("decoder.num_attention_heads", 5), /a width of 192 cannot be split over 5 heads/],
  "a billion layers": [
    config("decoder.num_hidden_layers", 1e9),
    /num_hidden_layers says 1000000000 layers, and there are/,
  ],
  "a billion text layers": [config("text_encoder.num_layers", 1e9), /num_layers says 1000000000 layers/],
  "a billion recurrences": [config("audio_encoder.num_lstm_layers", 1e9), /num_lstm_layers says 1000000000 layers/],
  "a million strides": [
    config("audio_encoder.upsampling_ratios", new Array(1e6).fill(2)),
    /upsampling_ratios says 1000000/,
  ],
  "too few layers": [config("decoder.num_hidden_layers", 4), /no use for decoder.model.decoder.layers.4/],
  "a layer too many": [config("decoder.num_hidden_layers", 6), /needs decoder.model.decoder.layers.5/],
  "another width": [config("decoder.ffn_dim", 700), /needs \[700, 192\], model.safetensors holds \[768, 192\]/],
  "a frame longer than a second": [config("audio_encoder.sampling_rate", 100), /no codec has a sampling_rate of 100/],
  "fewer codes than the codec has": [
    config("decoder.vocab_size", 100),
    /writes 4 codebooks of 100, the codec reads 4 of 512/,
  ],
  "a codec in chunks": [
    config("audio_encoder.chunk_length_s", 1),
    /a codec that scales or works in chunks cannot be composed/,
  ],
  "a melody model without its parts": [
    config("model_type", "musicgen_melody"),
    /makes 1 pitch classes, the model .* 12/,
  ],
  "guidance in words": [
    generation("guidance_scale", "3"),
    /^mini\/generation_config.json: guidance_scale: "3" is not a number/,
  ],
  "a negative top-k": [generation("top_k", -5), /generation_config.json: top_k: -5 is too little/],
  "no tokenizer": [
    { "tokenizer.json": undefined, "spiece.model": undefined },
    /has neither tokenizer.json nor spiece.model/,
  ],
  "half a tokenizer": [
    { "tokenizer.json": files["tokenizer.json"]!.subarray(0, 9999) },
    /^mini\/tokenizer.json is not a JSON/,
  ],
  "an empty tokenizer": [{ "tokenizer.json": "{}" }, /^mini\/tokenizer.json: model is not as it should be/],
  "a damaged spiece.model": [{ "tokenizer.json": undefined, "spiece.model": "pieces" }, /^mini\/spiece.model: /],
  "a text encoder of fewer words": [
    config("text_encoder.vocab_size", 9),
    /text_encoder\.shared\.weight: .* needs \[9, 128\], .* holds \[1200, 128\]/,
  ],
  "no weights": [{ "model.safetensors": undefined }, /mini holds no model.safetensors: is it a model's folder/],
  "pickled weights": [
    { "model.safetensors": undefined, "pytorch_model.bin": "x" },
    /holds PyTorch weights \(pytorch_model.bin\), and Hocket reads model.safetensors only/,
  ],
  "empty weights": [{ "model.safetensors": "" }, /0 bytes are too few for a safetensors file/],
  "weights cut in the header": [{ "model.safetensors": weights.subarray(0, 3000) }, /the file was cut short/],
  "weights cut in the numbers": [{ "model.safetensors": weights.subarray(0, 3e6) }, /ends at byte .* it was cut short/],
  "bytes too many": [
    reheaded(() => {}, concatenated(weights.subarray(start), new Uint8Array(7))),
    /the last 7 bytes belong to no/,
  ],
  "a header beyond the limit": [
    { "model.safetensors": lengthOf(100_000_000n) },
    /a header of 100000000 bytes is more than any/,
  ],
  "a header longer than the file": [{ "model.safetensors": lengthOf(9_000_000n) }, /the file was cut short/],
  "a missing tensor": [
    reheaded(
      (all) => {
        delete all[last];
      },
      weights.subarray(start, weights.length - sizeOf(last)),
    ),
    new RegExp(`needs ${last.replaceAll(".", "\\.")}, not found`),
  ],
  "a tensor too many": [
    reheaded((all) => {
      all["decoder.extra"] = { dtype: "F32", shape: [0], data_offsets: [0, 0] };
    }),
    /has no use for decoder.extra/,
  ],
  "overlapping tensors": [
    reheaded((all) => {
      all["decoder.extra"] = { dtype: "F32", shape: [1], data_offsets: [0, 4] };
    }),
    /overlaps the one before it/,
  ],
  "a tensor out of range": [
    reheaded((all) => {
      all["decoder.extra"] = { dtype: "F32", shape: [1], data_offsets: [1e12, 1e12 + 4] };
    }),
    /ends at byte 1000000\d+, the file at/,
  ],
  "a tensor of another type": [
    reheaded((all) => {
      all[last]!.dtype = "I32";
    }),
    /holds int32, and a weight is a float/,
  ],
  "a tensor of another shape": [
    reheaded((all) => {
      all[last]!.shape = [...all[last]!.shape, 1];
    }),
    /the model described by config.json needs \[.*\], model.safetensors holds \[.*, 1\]/,
  ],
  "a number that is none": [
    { "model.safetensors": concatenated(weights.subarray(0, weights.length - 4), Uint8Array.of(0, 0, 0xc0, 0x7f)) },
    new RegExp(`${last.replaceAll(".", "\\.")} in mini/model.safetensors is not a finite number at element`),
  ],
  "a kernel longer than any sound": [config("audio_encoder.last_kernel_size", 1e9), /needs \[64, 128, 1000000000\]/],
  "shards that are not there": [
    { "model.safetensors": undefined, "model.safetensors.index.json": '{"weight_map":{"a":"b.safetensors"}}' },
    /names b.safetensors, which is not there/,
  ],
  "shards outside the folder": [
    { "model.safetensors": undefined, "model.safetensors.index.json": '{"weight_map":{"a":"../b.safetensors"}}' },
    /has no weight_map of tensors to files/,
  ],
};
for (const [what, [other, message]] of Object.entries(cases))
  test(`refused in one line: ${what}`, () =>
    assert.rejects(load(other), (error) => {
      assert(error instanceof HocketError, `${error}`);
      assert.notEqual(error.code, "internal");
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /\n/);
      return true;
    }));

test("any number in any field of a configuration makes a model or a HocketError", async () => {
  const names = ["config.json", "generation_config.json", "preprocessor_config.json"];
  const fields = names.flatMap((name) => leaves(json(name)).map((path) => [name, path] as const));
  const odd = fc.oneof(
    fc.constantFrom(0, -1, 0.5, 3, 1e9, 1e15, 1e308, -1e308, "", "x", null, true, undefined),
    fc.constantFrom([], {}, [0], [1e9], [[]], new Array(300).fill(1)),
    fc.integer(),
    fc.double({ noNaN: true }),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...fields), odd, fc.boolean(), ([name, path], value, melody) =>
      loadsOrRefuses({
        ...(melody ? config("model_type", "musicgen_melody") : {}),
        ...changed(name, path, value),
      }),
    ),
    { numRuns: 150 },
  );
});

test("any damaged bytes make a model or a HocketError", async () => {
  const damage = fc.array(fc.tuple(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.nat(255)), {
    minLength: 1,
    maxLength: 4,
  });
  const names = ["config.json", "generation_config.json", "tokenizer.json", "model.safetensors"] as const;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...names),
      damage,
      fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
      (name, spots, cut) => {
        const bytes = files[name]!.slice();
        const reach = name === "model.safetensors" ? start : bytes.length; // its numbers may be any
        for (const [where, value] of spots) bytes[Math.floor(where * reach)] = value;
        return loadsOrRefuses({ [name]: cut === null ? bytes : bytes.subarray(0, Math.floor(cut * reach)) });
      },
    ),
    { numRuns: 100 },
  );
});

// --- internal ---

async function loadsOrRefuses(other: Files): Promise<void> {
  try {
    await load(other);
  } catch (error) {
    assert(error instanceof HocketError, `${error}`);
    assert.notEqual(error.code, "internal", error.message);
    assert.doesNotMatch(error.message, /\n/);
  }
}

/** Paths of everything in `object`, "a.b". */
function leaves(object: Json, path = ""): string[] {
  return Object.entries(object).flatMap(([key, value]) => [
    `${path}${key}`,
    ...(typeof value === "object" && value !== null && !Array.isArray(value)
      ? leaves(value as Json, `${path}${key}.`)
      : []),
  ]);
}

function concatenated(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

function lengthOf(bytes: bigint): Uint8Array {
  const file = new Uint8Array(100);
  new DataView(file.buffer).setBigUint64(0, bytes, true);
  return file;
}

function sizeOf(name: string): number {
  const [from, to] = header[name]!.data_offsets;
  return to - from;
}
