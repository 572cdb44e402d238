/**
 * @file How far two sets of sounds are apart as a whole: the Fréchet distance of the normal distributions that fit them
 * (Heusel and others, arXiv 1706.08500; Kilgour and others, arXiv 1812.08466).
 */

import { assert } from "../errors.js";

export interface Normal {
  readonly mean: Float64Array;
  /** [D][D] */
  readonly covariance: readonly Float64Array[];
}

/** The normal distribution that fits `points`, at least 2. */
export function normalOf(points: readonly Float32Array[]): Normal {
  assert(points.length >= 2, `a distribution cannot be fitted to ${points.length} points`);
  const width = points[0]!.length;
  const mean = new Float64Array(width);
  for (const point of points) for (let i = 0; i < width; i++) mean[i]! += point[i]! / points.length;
  const covariance = Array.from({ length: width }, () => new Float64Array(width));
  for (const point of points)
    for (let i = 0; i < width; i++) {
      const off = (point[i]! - mean[i]!) / (points.length - 1);
      if (off !== 0) for (let j = 0; j < width; j++) covariance[i]![j]! += off * (point[j]! - mean[j]!);
    }
  return { mean, covariance };
}

/** |m - n|^2 + sum (sqrt(C_ii) - sqrt(D_ii))^2: as if dimensions had nothing to do with each other. Steadier. */
export function frechetDiagonal(a: Normal, b: Normal): number {
  return a.mean.reduce((sum, mean, i) => {
    const apart = Math.sqrt(Math.max(0, a.covariance[i]![i]!)) - Math.sqrt(Math.max(0, b.covariance[i]![i]!));
    return sum + (mean - b.mean[i]!) ** 2 + apart ** 2;
  }, 0);
}

/** |m - n|^2 + trace(C + D - 2 sqrt(sqrt(C) D sqrt(C))). */
export function frechet(a: Normal, b: Normal): number {
  const root = squareRoot(a.covariance);
  const between = eigen(product(product(root, b.covariance), root)).values;
  const traces = a.mean.reduce((sum, _, i) => sum + a.covariance[i]![i]! + b.covariance[i]![i]!, 0);
  const means = a.mean.reduce((sum, mean, i) => sum + (mean - b.mean[i]!) ** 2, 0);
  return Math.max(0, means + traces - 2 * between.reduce((sum, value) => sum + Math.sqrt(Math.max(0, value)), 0));
}

// --- internal ---

type Matrix = readonly Float64Array[];

function product(a: Matrix, b: Matrix): Float64Array[] {
  return a.map((row) => {
    const result = new Float64Array(b[0]!.length);
    for (const [k, x] of row.entries())
      if (x !== 0) for (let j = 0; j < result.length; j++) result[j]! += x * b[k]![j]!;
    return result;
  });
}

/** Of a symmetric matrix without negative eigenvalues. */
function squareRoot(matrix: Matrix): Float64Array[] {
  const { values, vectors } = eigen(matrix);
  const size = matrix.length;
  const scaled = vectors.map((row) => row.map((x, k) => x * Math.sqrt(Math.max(0, values[k]!))));
  return Array.from({ length: size }, (_, i) =>
    Float64Array.from({ length: size }, (_, j) => {
      let sum = 0;
      for (let k = 0; k < size; k++) sum += scaled[i]![k]! * vectors[j]![k]!;
      return sum;
    }),
  );
}

/** Eigenvalues, and eigenvectors as columns, of a symmetric matrix: Jacobi's rotations. */
function eigen(matrix: Matrix): { values: Float64Array; vectors: Float64Array[] } {
  const size = matrix.length;
  const a = matrix.map((row, i) => row.map((x, j) => (x + matrix[j]![i]!) / 2));
  const vectors = Array.from({ length: size }, (_, i) => Float64Array.from({ length: size }, (_, j) => +(i === j)));
  const scale = a.reduce((sum, row) => sum + row.reduce((s, x) => s + x * x, 0), 0);
  for (let sweep = 0; sweep < 30; sweep++) {
    let off = 0;
    for (let p = 0; p < size; p++) for (let q = p + 1; q < size; q++) off += a[p]![q]! ** 2;
    if (off <= 1e-22 * scale) break;
    for (let p = 0; p < size; p++) for (let q = p + 1; q < size; q++) rotate(a, vectors, p, q);
  }
  return { values: Float64Array.from(a, (row, i) => row[i]!), vectors };
}

/** Turns axes p and q so that a[p][q] becomes 0. */
function rotate(a: Float64Array[], vectors: Float64Array[], p: number, q: number): void {
  const [rowP, rowQ] = [a[p]!, a[q]!];
  const apq = rowP[q]!;
  if (apq === 0) return;
  const theta = (rowQ[q]! - rowP[p]!) / (2 * apq);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (let k = 0; k < a.length; k++) {
    const row = a[k]!;
    const [x, y] = [row[p]!, row[q]!];
    row[p] = c * x - s * y;
    row[q] = s * x + c * y;
  }
  for (let k = 0; k < a.length; k++) {
    const [x, y] = [rowP[k]!, rowQ[k]!];
    rowP[k] = c * x - s * y;
    rowQ[k] = s * x + c * y;
    const row = vectors[k]!;
    const [u, v] = [row[p]!, row[q]!];
    row[p] = c * u - s * v;
    row[q] = s * u + c * v;
  }
}
