/** @file One channel of one FLAC frame (RFC 9639, 9.2): what a predictor leaves over, in Rice codes. */

import type { BitReader, BitWriter } from "./bits.js";

export interface Subframe {
  /** In bits, nearly. */
  readonly size: number;
  write(out: BitWriter): void;
}

/** The smallest of the ways to write `signal`, whose values have `bits` bits: constant, predicted, or as it is. */
export function subframe(signal: Int32Array, bits: number): Subframe {
  const plain = (type: number, values: Int32Array): Subframe => ({
    size: 8 + values.length * bits,
    write(out) {
      out.write(type << 1, 8);
      for (const value of values) out.write(value, bits);
    },
  });
  if (signal.every((value) => value === signal[0])) return plain(0, signal.subarray(0, 1));
  const verbatim = plain(1, signal);
  const { order, residual } = predict(signal);
  const warmUp = plain(8 + order, signal.subarray(0, order));
  const codes = riceCodes(residual, order);
  const size = warmUp.size + codes.size;
  if (size >= verbatim.size) return verbatim;
  return {
    size,
    write(out) {
      warmUp.write(out);
      codes.write(out);
    },
  };
}

/** A signal of `length` values of `bits` bits, of any kind that the format has; undefined if it is none of them. */
export function readSubframe(input: BitReader, length: number, bits: number): Int32Array | undefined {
  const type = input.read(7);
  const wasted = input.read(1) === 1 ? input.unary() + 1 : 0; // lowest bits that are 0 in every value
  const width = bits - wasted;
  if (width < 1) return undefined;
  const signal = readSignal(input, type, length, width);
  return wasted === 0 ? signal : signal?.map((value) => value << wasted);
}

// --- internal ---

const maxOrder = 4;
const maxPartitionOrder = 6;

/** The order whose differences are smallest; residual[n] is 0 before n = order. Order k predicts by k - 1 differences. */
function predict(signal: Int32Array): { order: number; residual: Int32Array } {
  // All orders at once: each difference is one of the order before.
  let [last0, last1, last2, last3] = [0, 0, 0, 0];
  let [sum0, sum1, sum2, sum3, sum4] = [0, 0, 0, 0, 0];
  for (let n = 0; n < signal.length; n++) {
    const d0 = signal[n]!;
    const d1 = d0 - last0;
    const d2 = d1 - last1;
    const d3 = d2 - last2;
    const d4 = d3 - last3;
    [last0, last1, last2, last3] = [d0, d1, d2, d3];
    sum0 += Math.abs(d0);
    if (n >= 1) sum1 += Math.abs(d1);
    if (n >= 2) sum2 += Math.abs(d2);
    if (n >= 3) sum3 += Math.abs(d3);
    if (n >= 4) sum4 += Math.abs(d4);
  }
  const sums = [sum0, sum1, sum2, sum3, sum4];
  let order = 0;
  for (let k = 1; k <= Math.min(maxOrder, signal.length - 1); k++) if (sums[k]! < sums[order]!) order = k;
  let residual = signal;
  for (let k = 1; k <= order; k++) {
    const previous = residual;
    residual = new Int32Array(previous.length);
    for (let n = k; n < residual.length; n++) residual[n] = previous[n]! - previous[n - 1]!;
  }
  return { order, residual };
}

/** Signs folded in: 0, -1, 1, -2... become 0, 1, 2, 3... */
const fold = (value: number): number => ((value << 1) ^ (value >> 31)) >>> 0;

/** A residual in 2^p equal parts, each with the Rice parameter that suits it; the p that takes the fewest bits. */
function riceCodes(residual: Int32Array, order: number): Subframe {
  const running = new Float64Array(residual.length + 1); // sums of what comes before
  for (let n = 0; n < residual.length; n++) running[n + 1] = running[n]! + (n < order ? 0 : fold(residual[n]!));
  let best: { size: number; partitions: number; parameters: readonly number[] } | undefined;
  for (let p = 0; p <= maxPartitionOrder; p++) {
    const length = residual.length / 2 ** p;
    if (!Number.isInteger(length) || length <= order) break;
    const parts = Array.from({ length: 2 ** p }, (_, i) =>
      riceParameter(running[(i + 1) * length]! - running[i * length]!, i === 0 ? length - order : length),
    );
    const size = 6 + parts.reduce((sum, part) => sum + part.size, 0);
    if (!best || size < best.size) best = { size, partitions: p, parameters: parts.map((part) => part.parameter) };
  }
  const { size, partitions, parameters } = best!;
  return {
    size,
    write(out) {
      out.write(1, 2); // parameters of 5 bits
      out.write(partitions, 4);
      const length = residual.length / parameters.length;
      for (const [i, parameter] of parameters.entries()) {
        out.write(parameter, 5);
        for (let n = i === 0 ? order : i * length; n < (i + 1) * length; n++) {
          const value = fold(residual[n]!);
          out.unary(value >>> parameter);
          out.write(value, parameter);
        }
      }
    },
  };
}

/** Rice's rule: as many bits are written plainly as the mean of `count` values has, about. */
function riceParameter(sum: number, count: number): { size: number; parameter: number } {
  const parameter = Math.max(0, Math.min(30, Math.floor(Math.log2((sum + 1) / count))));
  return { parameter, size: 5 + count * (parameter + 1) + Math.floor(sum / 2 ** parameter) };
}

function readSignal(input: BitReader, type: number, length: number, bits: number): Int32Array | undefined {
  const signal = new Int32Array(length);
  if (type === 0) return signal.fill(input.signed(bits));
  const order = type === 1 ? length : type < 32 ? type - 8 : type - 31;
  if (order < 0 || order > length || (type > 12 && type < 32) || type > 63) return undefined;
  for (let n = 0; n < order; n++) signal[n] = input.signed(bits);
  if (type === 1) return signal;

  const precision = type < 32 ? 0 : input.read(4) + 1;
  const shift = type < 32 ? 0 : input.signed(5);
  const weights = type < 32 ? fixedWeights[order] : Array.from({ length: order }, () => input.signed(precision));
  if (!weights || shift < 0 || precision === 16 || !readResidual(input, signal, order)) return undefined;
  const scale = 2 ** -shift;
  for (let n = order; n < length; n++) {
    let sum = 0; // up to 45 bits, which a double holds exactly
    for (let k = 0; k < order; k++) sum += weights[k]! * signal[n - 1 - k]!;
    signal[n]! += Math.floor(sum * scale);
  }
  return signal;
}

/** The next value as a polynomial through the last ones would have it; the nearest first. */
const fixedWeights = [[], [1], [2, -1], [3, -3, 1], [4, -6, 4, -1]];

/** Fills `signal` from `order` on; false if the codes are none. */
function readResidual(input: BitReader, signal: Int32Array, order: number): boolean {
  const method = input.read(2);
  const parts = 2 ** input.read(4);
  const length = signal.length / parts;
  if (method > 1 || !Number.isInteger(length) || length < order) return false;
  const width = 4 + method;
  for (let i = 0, n = order; i < parts; i++) {
    const parameter = input.read(width);
    if (parameter === 2 ** width - 1) {
      const plain = input.read(5);
      for (; n < (i + 1) * length; n++) signal[n] = input.signed(plain);
    } else
      for (; n < (i + 1) * length; n++) {
        const quotient = input.unary();
        const value = ((quotient << parameter) | input.read(parameter)) >>> 0;
        signal[n] = (value >>> 1) ^ -(value & 1);
      }
  }
  return true;
}
