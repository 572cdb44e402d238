/** @file Where a column stands in time, as sinusoids: [cos | sin] of position / 10000^(i / (half - 1)) (spec §5.2). */

/**
 * Rows for `count` positions from `first`, [count, width] flat. Rounded as the published checkpoints were trained:
 * frequencies and angles in single precision.
 */
export function positionRows(first: number, count: number, width: number): Float32Array<ArrayBuffer> {
  const frequencies = frequencyTable(width);
  const half = frequencies.length;
  const rows = new Float32Array(count * width); // an odd width ends in a zero
  for (let n = 0; n < count; n++)
    for (let i = 0; i < half; i++) {
      const angle = Math.fround((first + n) * frequencies[i]!);
      rows[n * width + i] = Math.cos(angle);
      rows[n * width + half + i] = Math.sin(angle);
    }
  return rows;
}

// --- internal ---

/** Of the last width that was asked for: a model asks for its own at each step. */
let known: { readonly width: number; readonly table: Float32Array } | undefined;

function frequencyTable(width: number): Float32Array {
  if (known?.width === width) return known.table;
  const half = Math.floor(width / 2);
  const step = Math.fround(-Math.log(10000) / (half - 1));
  const table = Float32Array.from({ length: half }, (_, i) => Math.exp(Math.fround(i * step)));
  known = { width, table };
  return table;
}
