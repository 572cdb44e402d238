/**
 * @file transformers.js composes: its own `generate`, from loading the model to drawing the codes. Usage:
 * node transformers-js.js {"library", "folder", "form", "threads"}; then see contestant.ts
 */

import { readSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type { Form } from "./decoder.js";

export interface TransformersJs {
  /** Where it is installed. */
  readonly library: string;
  readonly folder: string;
  readonly form: Form;
  readonly threads: number;
}

/** What is used of it. */
interface Library {
  readonly env: { allowRemoteModels: boolean; localModelPath: string };
  readonly Tensor: new (type: string, data: BigInt64Array, dims: readonly number[]) => unknown;
  readonly MusicgenForConditionalGeneration: {
    from_pretrained(folder: string, options: object): Promise<{ generate(options: object): Promise<unknown> }>;
  };
}

const { library, folder, form, threads } = JSON.parse(process.argv[2]!) as TransformersJs;
const { env, Tensor, MusicgenForConditionalGeneration } = (await import(pathToFileURL(library).href)) as Library;
env.allowRemoteModels = false;
const model = await MusicgenForConditionalGeneration.from_pretrained(folder, {
  dtype: { text_encoder: "fp32", decoder_model_merged: form, encodec_decode: "fp32" },
  use_external_data_format: { decoder_model_merged: true },
  session_options: threads === 0 ? {} : { intraOpNumThreads: threads },
});

/** Told of each step's codes, it holds the loop up, which waits for it, until more steps are asked for. */
class Meter {
  times: number[] = [];
  #left = 0;
  #last = 0;

  put(): void {
    if (this.#left > 0) {
      this.times.push(performance.now() - this.#last);
      this.#left--;
    }
    if (this.#left === 0) this.#pause();
    this.#last = performance.now();
  }

  end(): void {}

  #pause(): void {
    console.log(JSON.stringify(this.times));
    this.times = [];
    this.#left = Number(nextLine());
    if (this.#left === 0) process.exit();
  }
}

const [tokens, columns] = [16, Number(nextLine())];
const ids = (dims: readonly [number, number], of: (i: number) => number) =>
  new Tensor(
    "int64",
    BigInt64Array.from({ length: dims[0] * dims[1] }, (_, i) => BigInt(of(i))),
    dims,
  );
await model.generate({
  input_ids: ids([1, tokens], (i) => i + 1),
  attention_mask: ids([1, tokens], () => 1),
  ...(columns === 0 ? {} : { decoder_input_ids: ids([4, columns], (i) => (i * 37) % 2048) }),
  max_new_tokens: 2048 - columns - 1,
  do_sample: true,
  guidance_scale: 3,
  top_k: 250,
  streamer: new Meter(),
});

/** Waits for it, and everything with it. */
function nextLine(): string {
  const line: number[] = [];
  const byte = new Uint8Array(1);
  while (readSync(0, byte) === 1 && byte[0] !== 10) line.push(byte[0]!);
  return String.fromCharCode(...line);
}
