/**
 * @file The safetensors format: 8 bytes of header length, a JSON header, then the numbers, little-endian and row-major.
 * Read lazily and checked as strictly as the reference reader does (github.com/huggingface/safetensors).
 * Numbers are viewed in place, so this assumes a little-endian machine, as every JavaScript engine of today runs on.
 */

import { assert, HocketError } from "../errors.js";
import type { ByteSource } from "../platform/platform.js";
import { arrayFor, bytesPerElement, type DType, elementCount, type Tensor, tensor } from "../tensor.js";

/** Where a tensor lies in its file. */
export interface TensorEntry {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Bytes from the start of the file. */
  readonly offset: number;
  /** In bytes. */
  readonly length: number;
}

export interface SafetensorsFile {
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads the header, and nothing else, of a safetensors file.
 * @param called what messages call the file; a path without links may be unreadable.
 * @throws HocketError bad-file if the header is damaged or does not describe exactly the bytes that follow it;
 *   unsupported for a type of number that Hocket does not know.
 */
export async function readHeader(source: ByteSource, called = source.location): Promise<SafetensorsFile> {
  const damaged = (what: string) => new HocketError("bad-file", `${called}: ${what}`);
  if (source.size < 8) throw damaged(`${source.size} bytes are too few for a safetensors file; get the file again`);
  const announced = view(await source.read(0, 8)).getBigUint64(0, true);
  if (announced > MAX_HEADER)
    throw damaged(`a header of ${announced} bytes is more than any model has: this is not a safetensors file`);
  const start = 8 + Number(announced);
  if (start > source.size)
    throw damaged(`the header needs ${announced} bytes, ${source.size - 8} are there: the file was cut short`);

  const header = parseHeader(await source.read(8, start - 8), damaged);
  const metadata = checkMetadata(header.__metadata__, damaged);
  const entries = Object.entries(header)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, info]) => checkEntry(name, info, start, (what) => damaged(`tensor ${quoted(name)}: ${what}`), called));
  checkLayout(entries, start, source.size, damaged);
  return { tensors: new Map(entries.map((entry) => [entry.name, entry])), metadata };
}

/** Reads one tensor. Its data may be a view on what the source returned. */
export const readTensor = async (source: ByteSource, entry: TensorEntry): Promise<Tensor> =>
  tensor(entry.dtype, entry.shape, numbersIn(entry.dtype, await source.read(entry.offset, entry.length)));

/** The file that holds `tensors`, in memory. See `safetensorsChunks`. */
export function writeSafetensors(
  tensors: Readonly<Record<string, Tensor>>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  const chunks = [...safetensorsChunks(tensors, metadata)];
  const file = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    file.set(chunk, offset);
    offset += chunk.length;
  }
  return file;
}

/** The same file in pieces, without a copy of the numbers. */
export function* safetensorsChunks(
  tensors: Readonly<Record<string, Tensor>>,
  metadata?: Readonly<Record<string, string>>,
): Generator<Uint8Array> {
  const { header, order } = safetensorsHeader(tensors, metadata);
  yield header;
  for (const name of order) {
    const { data } = tensors[name]!;
    yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
}

/**
 * What stands before the numbers of such tensors, and the order in which their bytes follow. Names are sorted; wide
 * numbers come before narrow ones, so that each tensor can be used in place.
 */
export function safetensorsHeader(
  tensors: Readonly<Record<string, { readonly dtype: DType; readonly shape: readonly number[] }>>,
  metadata?: Readonly<Record<string, string>>,
): { header: Uint8Array; order: readonly string[] } {
  assert(!Object.hasOwn(tensors, "__metadata__"), "a tensor cannot be called __metadata__");
  const names = Object.keys(tensors).sort();
  const order = names.toSorted((a, b) => bytesPerElement(tensors[b]!.dtype) - bytesPerElement(tensors[a]!.dtype));

  const offsets = new Map<string, [number, number]>();
  let end = 0;
  for (const name of order) {
    const { dtype, shape } = tensors[name]!;
    const start = end;
    end += elementCount(shape) * bytesPerElement(dtype);
    offsets.set(name, [start, end]);
  }
  const rows = names.map((name) => {
    const { dtype, shape } = tensors[name]!;
    return `${JSON.stringify(name)}:${JSON.stringify({ dtype: codes[dtype], shape, data_offsets: offsets.get(name) })}`;
  });
  if (metadata !== undefined) rows.unshift(`"__metadata__":${JSON.stringify(metadata)}`);
  const json = new TextEncoder().encode(`{${rows.join(",")}}`);

  const header = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(SPACE);
  view(header).setBigUint64(0, BigInt(header.length - 8), true);
  header.set(json, 8);
  return { header, order };
}

/** `bytes` as numbers; copied only if they start where such numbers cannot. */
export function numbersIn(dtype: DType, bytes: Uint8Array): Tensor["data"] {
  const numbers = arrayFor(dtype);
  // Not bytes.slice(): of Node's Buffer that is a view again.
  const aligned = bytes.byteOffset % numbers.BYTES_PER_ELEMENT === 0 ? bytes : new Uint8Array(bytes);
  return new numbers(aligned.buffer as ArrayBuffer, aligned.byteOffset, bytes.length / numbers.BYTES_PER_ELEMENT);
}

// --- internal ---

/** Room for a hundred thousand tensors. The reference reader takes ten times as much; reading that takes gigabytes. */
const MAX_HEADER = 10_000_000n;
const SPACE = 0x20;

const codes: Record<DType, string> = {
  float64: "F64",
  float32: "F32",
  float16: "F16",
  bfloat16: "BF16",
  int64: "I64",
  int32: "I32",
  int16: "I16",
  int8: "I8",
  uint8: "U8",
  bool: "BOOL",
};
const dtypes = new Map(Object.entries(codes).map(([dtype, code]) => [code, dtype as DType]));

type Damaged = (what: string) => HocketError;

const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** A name as it can stand in a one-line message, whatever is in it. */
const quoted = (name: string) => JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}…` : name).slice(1, -1);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function parseHeader(bytes: Uint8Array, damaged: Damaged): Record<string, unknown> {
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    header = JSON.parse(text);
  } catch (cause) {
    throw new HocketError("bad-file", damaged("the header is not JSON; get the file again").message, { cause });
  }
  if (!isObject(header) || text[0] !== "{") throw damaged("the header is not a JSON object; get the file again");
  const twice = repeatedKey(text);
  if (twice !== undefined) throw damaged(`the header names ${quoted(twice)} twice`);
  return header;
}

function checkMetadata(metadata: unknown, damaged: Damaged): Record<string, string> {
  if (metadata === undefined) return {};
  if (!isObject(metadata) || Object.values(metadata).some((value) => typeof value !== "string"))
    throw damaged("__metadata__ must map names to texts");
  return metadata as Record<string, string>;
}

function checkEntry(name: string, info: unknown, start: number, damaged: Damaged, called: string): TensorEntry {
  if (!isObject(info)) throw damaged("its entry in the header is not an object");
  const { dtype: code, shape, data_offsets: offsets } = info;
  if (typeof code !== "string") throw damaged("its dtype is missing");
  const dtype = dtypes.get(code);
  if (dtype === undefined)
    throw new HocketError(
      "unsupported",
      `${called}: tensor ${quoted(name)} has dtype ${quoted(code)}; Hocket reads ${[...dtypes.keys()].join(" ")}`,
    );
  if (!Array.isArray(shape) || !shape.every(isSize)) throw damaged("its shape must be whole numbers, none negative");
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize))
    throw damaged("its data_offsets must be two whole numbers, none negative");
  const length = elementCount(shape) * bytesPerElement(dtype);
  if (!Number.isSafeInteger(length)) throw damaged(`the shape [${shape.join(", ")}] is too large to exist`);
  const [from, to] = offsets as [number, number];
  if (to - from !== length)
    throw damaged(`its data_offsets hold ${to - from} bytes, ${code} [${shape.join(", ")}] needs ${length}`);
  return { name, dtype, shape, offset: start + from, length };
}

/** The tensors, in the order of their data, must fill the file from the header's end to the last byte. */
function checkLayout(entries: readonly TensorEntry[], start: number, size: number, damaged: Damaged): void {
  let end = start;
  for (const { name, offset, length } of entries.toSorted((a, b) => a.offset - b.offset || a.length - b.length)) {
    if (offset + length > size)
      throw damaged(`tensor ${quoted(name)} ends at byte ${offset + length}, the file at ${size}: it was cut short`);
    if (offset < end) throw damaged(`tensor ${quoted(name)} overlaps the one before it`);
    if (offset > end) throw damaged(`${offset - end} bytes before tensor ${quoted(name)} belong to no tensor`);
    end = offset + length;
  }
  if (end !== size) throw damaged(`the last ${size - end} bytes belong to no tensor`);
}

/**
 * A key that occurs twice in the header or in one of its entries. `JSON.parse` would keep the last one in silence.
 * @param text valid JSON.
 */
function repeatedKey(text: string): string | undefined {
  const keys: Set<string>[] = [];
  let depth = 0;
  let latest = '""';
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === "{" || char === "[") {
      if (depth < 2) keys[depth] = new Set();
      depth++;
    } else if (char === "}" || char === "]") depth--;
    else if (char === '"') {
      const start = i++;
      while (text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
      latest = text.slice(start, i + 1);
    } else if (char === ":" && depth <= 2) {
      const key = JSON.parse(latest) as string;
      if (keys[depth - 1]!.has(key)) return key;
      keys[depth - 1]!.add(key);
    }
  }
  return undefined;
}
