/**
 * @file Codes on disk: a safetensors file with `codes` int32 [B, K, T], aligned; for codecs that work in chunks
 * `codes.<i>` of each chunk, and `scale.<i>` [B] where the codec normalises.
 */

import type { Chunk } from "./codec/encodec.js";
import { codes, frameCount } from "./codes.js";
import { HocketError } from "./errors.js";
import type { ByteSource } from "./platform/platform.js";
import { type Tensor, tensor } from "./tensor.js";
import { readHeader, readTensor, writeSafetensors } from "./weights/safetensors.js";

/** @param metadata written as text beside the codes: at least `sample_rate` and `frame_rate` */
export function writeCodes(chunks: readonly Chunk[], metadata: Readonly<Record<string, string>>): Uint8Array {
  const tensors: Record<string, Tensor> = {};
  for (const [i, { codes: grids, scale }] of chunks.entries()) {
    const suffix = chunks.length === 1 && scale === undefined ? "" : `.${i}`;
    const [codebooks, frames] = [grids[0]!.length, frameCount(grids[0]!)];
    const data = new Int32Array(grids.length * codebooks * frames);
    for (const [r, row] of grids.flat().entries()) data.set(row, r * frames);
    tensors[`codes${suffix}`] = tensor("int32", [grids.length, codebooks, frames], data);
    if (scale !== undefined) tensors[`scale${suffix}`] = tensor("float32", [scale.length], Float32Array.from(scale));
  }
  return writeSafetensors(tensors, metadata);
}

/** @throws HocketError "bad-file" for a file that holds no codes, or chunks that do not belong together */
export async function readCodes(
  file: ByteSource,
  name = file.location,
): Promise<{ chunks: Chunk[]; metadata: Readonly<Record<string, string>> }> {
  const bad = (what: string) =>
    new HocketError("bad-file", `${name}: ${what}; a codes file holds \`codes\`, whole numbers of shape [B, K, T]`);
  const { tensors, metadata } = await readHeader(file, name);
  const unread = new Set([...tensors.keys()].filter((each) => /^(codes|scale)(\.\d+)?$/.test(each)));
  const read = async (tensorName: string) => {
    const entry = tensors.get(tensorName);
    unread.delete(tensorName);
    return entry === undefined ? undefined : readTensor(file, entry);
  };
  const single = await read("codes");
  const chunks: Chunk[] = single === undefined ? [] : [{ codes: grids(single, "codes", bad) }];
  for (let i = 0; single === undefined; i++) {
    const piece = await read(`codes.${i}`);
    if (piece === undefined) break;
    const scale = await read(`scale.${i}`);
    const codes = grids(piece, `codes.${i}`, bad);
    if (scale === undefined) chunks.push({ codes });
    else if (scale.dtype === "float32" && scale.data.length === codes.length)
      chunks.push({ codes, scale: scale.data as Float32Array });
    else throw bad(`scale.${i} is not one float32 for each of ${codes.length} items`);
  }
  if (chunks.length === 0)
    throw bad(`there are no codes among its tensors (${[...tensors.keys()].slice(0, 4).join(", ") || "none"})`);
  if (unread.size > 0) throw bad(`${[...unread][0]} belongs to no chunk; they count from codes.0 without gaps`);
  const [first] = chunks;
  if (
    chunks.some(
      ({ codes, scale }) =>
        codes.length !== first!.codes.length ||
        codes[0]!.length !== first!.codes[0]!.length ||
        (scale === undefined) !== (first!.scale === undefined),
    )
  )
    throw bad("its chunks differ in items, codebooks or scales");
  return { chunks, metadata };
}

// --- internal ---

function grids({ dtype, shape, data }: Tensor, name: string, bad: (what: string) => HocketError): Chunk["codes"] {
  if (dtype !== "int32" && dtype !== "int64" && dtype !== "int16") throw bad(`${name} holds ${dtype}`);
  const [batch, codebooks, frames] = (shape.length === 2 ? [1, ...shape] : shape) as [number, number, number];
  if (shape.length < 2 || shape.length > 3 || data.length === 0) throw bad(`${name} has shape [${shape.join(", ")}]`);
  const wide = data.findIndex((code: number | bigint) => Number(code) !== (Number(code) | 0));
  if (wide >= 0) throw bad(`${name} holds ${data[wide]}`);
  const rows = Array.from({ length: batch * codebooks }, (_, r) =>
    Int32Array.from(data.subarray(r * frames, (r + 1) * frames), Number),
  );
  return Array.from({ length: batch }, (_, b) => codes(rows.slice(b * codebooks, (b + 1) * codebooks)));
}
