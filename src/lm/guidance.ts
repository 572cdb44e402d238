/** @file Classifier-free guidance: overstating what a condition adds to the logits (MusicGen, section 2.3). */

/**
 * `unconditional + scale (conditional - unconditional)`: 1 leaves the conditional logits, 0 the unconditional ones.
 * `out` may be one of the inputs.
 */
export function guide(
  conditional: Float32Array,
  unconditional: Float32Array,
  scale: number,
  out: Float32Array,
): Float32Array {
  for (let i = 0; i < out.length; i++) out[i] = unconditional[i]! + scale * (conditional[i]! - unconditional[i]!);
  return out;
}

/**
 * Two conditions, of which text is overstated over style before both are over nothing (MusicGen-Style):
 * `unconditional + scale (style + textScale (both - style) - unconditional)`. `out` may be one of the inputs.
 * @param both logits under text and style
 * @param style logits under style alone
 */
export function guideTwice(
  both: Float32Array,
  style: Float32Array,
  unconditional: Float32Array,
  scale: number,
  textScale: number,
  out: Float32Array,
): Float32Array {
  for (let i = 0; i < out.length; i++) {
    const conditional = style[i]! + textScale * (both[i]! - style[i]!);
    out[i] = unconditional[i]! + scale * (conditional - unconditional[i]!);
  }
  return out;
}
