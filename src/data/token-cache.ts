/**
 * @file Recordings as the language model reads them, made once and kept: codes, and the pitch classes of the tune. They lie
 * in DATA/codes/KEY, KEY being a hash of the codec, in safetensors files of a hundred or so recordings.
 */

import { isFolder, makeFolder, openFile, openFolder, writeFileAtomically } from "#platform";
import { z } from "#zod";
import { type Codes, codes, frameCount } from "../codes.js";
import { HocketError } from "../errors.js";
import { type ChromaConfig, melodyChroma } from "../melody/chroma.js";
import type { CodecModel } from "../model.js";
import type { ByteSource } from "../platform/platform.js";
import { type Tensor, tensor } from "../tensor.js";
import { prefixOf } from "../weights/names.js";
import { readHeader, readTensor, type SafetensorsFile, safetensorsChunks } from "../weights/safetensors.js";
import type { Entry } from "./manifest.js";

/** What made the tokens, and what follows from that. */
export interface TokenFormat {
  /** The name of the folder that they lie in. */
  readonly key: string;
  readonly sampleRate: number;
  /** Of the sound that is encoded: 2 where left and right are. */
  readonly channels: number;
  /** Rows of codes: the codebooks of left and right in turn, where both are encoded (spec §7.3). */
  readonly codebooks: number;
  /** Samples a frame of codes. */
  readonly hop: number;
  readonly chroma: ChromaConfig;
}

export interface Tokens {
  /** [K][T] */
  readonly codes: Codes;
  /** [frames] the loudest pitch class, C = 0; frame t is centred on sample t * chroma.hop. */
  readonly chroma: Uint8Array;
}

/** A recording in the cache, or what is wrong with it. */
export interface Made {
  readonly path: string;
  /** Of the file, to see that it has not changed. */
  readonly fingerprint: string;
  readonly tokens: Tokens | undefined;
}

/** @throws HocketError "unsupported" for a codec that no language model can be trained on */
export async function tokenFormat(model: CodecModel): Promise<TokenFormat> {
  const { config } = model.codec;
  if (config.normalize || config.chunk_length_s !== null)
    throw new HocketError("unsupported", `${model.name} scales or works in chunks: its codes cannot be composed with`);
  const { sampleRate, codebooks, hop } = model.codec;
  const chroma = chromaAt(sampleRate);
  const told = { version: 1, config, codebooks, sides: model.sides, chroma };
  const digests = [await digest(new TextEncoder().encode(JSON.stringify(told)))];
  // The codec's weights, under the names that they have without a language model around them.
  const stored = [...model.checkpoint.tensors.keys()];
  const prefix = prefixOf("audio_encoder", stored);
  for (const name of stored.filter((each) => each.startsWith(prefix)).sort()) {
    const { data } = await model.checkpoint.read(name);
    digests.push(await digest(new TextEncoder().encode(name.slice(prefix.length))));
    digests.push(await digest(new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength)));
  }
  const key = await digest(new Uint8Array(await new Blob(digests).arrayBuffer()));
  return {
    key: Array.from(key.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join(""),
    sampleRate,
    channels: model.sides === 2 ? 2 : config.audio_channels,
    codebooks: codebooks * model.sides,
    hop,
    chroma,
  };
}

/** The tokens of one data folder. */
export class TokenCache {
  readonly #folder: string;
  readonly #shards: Shard[] = [];
  /** [K] the codes of a frame of silence. */
  silence: Int32Array = new Int32Array(0);
  readonly #found = new Map<string, { shard: Shard; index: number; fingerprint: string; usable: boolean }>();

  private constructor(
    readonly data: string,
    readonly format: TokenFormat,
  ) {
    this.#folder = `${data}/codes/${format.key}`;
  }

  /** What is there so far, which may be nothing. @throws HocketError "bad-file" for a damaged file, naming it */
  static async open(data: string, format: TokenFormat): Promise<TokenCache> {
    const cache = new TokenCache(data, format);
    if (!(await isFolder(cache.#folder))) return cache;
    try {
      const names = await (await openFolder(cache.#folder)).list();
      for (const name of names) if (shardName.test(name)) await cache.#add(name);
    } catch (error) {
      await cache.close();
      throw error;
    }
    return cache;
  }

  /** Whether there are tokens for an entry. */
  has(entry: Entry): boolean {
    return this.#found.get(entry.path)?.usable === true;
  }

  /** The fingerprint of the recording that was encoded, or that could not be. */
  fingerprintOf(entry: Entry): string | undefined {
    return this.#found.get(entry.path)?.fingerprint;
  }

  /** @throws HocketError "bad-request" for an entry without tokens */
  async tokens(entry: Entry): Promise<Tokens> {
    const found = this.#found.get(entry.path);
    if (found?.usable !== true)
      throw new HocketError(
        "bad-request",
        `${entry.path} has no tokens: run 'hocket data tokenize ${this.data}' with this codec`,
      );
    const { shard, index } = found;
    const grid = await readTensor(shard.source, shard.file.tensors.get(`${index}.codes`)!);
    const chroma = await readTensor(shard.source, shard.file.tensors.get(`${index}.chroma`)!);
    return { codes: rowsOf(grid), chroma: chroma.data as Uint8Array };
  }

  /** Keeps some more. All of them or, if the machine stops, none. @throws HocketError "disk" */
  async keep(made: readonly Made[], silence: Int32Array): Promise<void> {
    await makeFolder(this.#folder);
    const tensors: Record<string, Tensor> = { silence: tensor("int32", [silence.length], Int32Array.from(silence)) };
    for (const [i, { tokens }] of made.entries()) {
      if (tokens === undefined) continue;
      tensors[`${i}.codes`] = gridTensor(tokens.codes);
      tensors[`${i}.chroma`] = tensor("uint8", [tokens.chroma.length], Uint8Array.from(tokens.chroma));
    }
    const list = made.map(({ path, fingerprint, tokens }) => [path, fingerprint, tokens === undefined ? 0 : 1]);
    const name = `${String(this.#shards.length).padStart(5, "0")}.safetensors`;
    await writeFileAtomically(
      `${this.#folder}/${name}`,
      safetensorsChunks(tensors, { recordings: JSON.stringify(list) }),
    );
    await this.#add(name);
  }

  async close(): Promise<void> {
    await Promise.all(this.#shards.map(({ source }) => source.close()));
  }

  async #add(name: string): Promise<void> {
    const path = `${this.#folder}/${name}`;
    const source = await openFile(path);
    const { file, list } = await readShard(source).catch(async (cause) => {
      await source.close();
      throw new HocketError("bad-file", `${path} is damaged: delete it, and run 'hocket data tokenize' again`, {
        cause,
      });
    });
    const shard = { source, file };
    this.#shards.push(shard);
    this.silence = (await readTensor(source, file.tensors.get("silence")!)).data as Int32Array;
    for (const [index, [path, fingerprint, usable]] of list.entries())
      this.#found.set(path, { shard, index, fingerprint, usable: usable === 1 }); // later ones are of changed recordings
  }
}

/** How a tune is heard beside codes of a sample rate: as MusicGen Melody does at 32 kHz, for about as long at others. */
export function chromaAt(sampleRate: number): ChromaConfig {
  const scale = 2 ** Math.round(Math.log2(sampleRate / melodyChroma.sampleRate));
  return { ...melodyChroma, sampleRate, fftSize: melodyChroma.fftSize * scale, hop: melodyChroma.hop * scale };
}

// --- internal ---

interface Shard {
  readonly source: ByteSource;
  readonly file: SafetensorsFile;
}

const shardName = /^\d{5}\.safetensors$/;

/** Recordings as they are listed in a shard's metadata. */
const listed = z.array(z.tuple([z.string(), z.string(), z.union([z.literal(0), z.literal(1)])]));

async function readShard(source: ByteSource) {
  const file = await readHeader(source);
  return { file, list: listed.parse(JSON.parse(file.metadata.recordings ?? "")) };
}

async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

function gridTensor(grid: Codes): Tensor<"int16"> {
  const length = frameCount(grid);
  const data = new Int16Array(grid.length * length);
  for (const [k, row] of grid.entries()) data.set(row, k * length);
  return tensor("int16", [grid.length, length], data);
}

function rowsOf({ shape, data }: Tensor): Codes {
  const [codebooks, length] = shape as [number, number];
  return codes(
    Array.from({ length: codebooks }, (_, k) =>
      Int32Array.from((data as Int16Array).subarray(k * length, (k + 1) * length)),
    ),
  );
}
