/**
 * @file Symbolic values: what a model computes with while it is being described. No number exists yet; a value knows its
 * type, its shape and how it will come to be. Describing performs no I/O, and everything else (the ONNX file, the list a
 * checkpoint is checked against, parameter counts) is derived from the values that the description returns.
 */

import { assert } from "../errors.js";
import type { DType, Tensor } from "../tensor.js";

/** A known size, or the name of one that is known only when the graph runs ("T", "2*T+1"). */
export type Dim = number | string;
export type Shape = readonly Dim[];

export type Attribute = number | string | readonly number[] | { readonly int: number };

/** One operator of the ONNX standard (or of the domain named). */
export interface Node {
  readonly op: string;
  readonly domain: string;
  readonly inputs: readonly (Value | undefined)[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly outputs: readonly Value[];
}

export type Origin =
  | { readonly kind: "input"; readonly name: string }
  | { readonly kind: "weight"; readonly name: string }
  | { readonly kind: "constant"; readonly tensor: Tensor }
  | { readonly kind: "node"; readonly node: Node; readonly index: number };

export interface Value {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly origin: Origin;
}

/** A number fed at each run. */
export const input = (name: string, dtype: DType, shape: Shape): Value => ({
  dtype,
  shape,
  origin: { kind: "input", name },
});

/** A number known while describing. */
export const constant = (tensor: Tensor): Value => ({
  dtype: tensor.dtype,
  shape: tensor.shape,
  origin: { kind: "constant", tensor },
});

/** A node and its outputs, of the types and shapes that its shape rule found. */
export function node(
  op: string,
  inputs: readonly (Value | undefined)[],
  outputs: readonly { dtype: DType; shape: Shape }[],
  attributes: Readonly<Record<string, Attribute>> = {},
  domain = "",
): Value[] {
  const values: Value[] = [];
  const made: Node = { op, domain, inputs, attributes, outputs: values };
  for (const [index, { dtype, shape }] of outputs.entries())
    values.push({ dtype, shape, origin: { kind: "node", node: made, index } });
  return values;
}

/**
 * Where a description finds its weights. A weight's name and shape are stated where it is used; names are those of the
 * published checkpoint, so a path through the scopes is a tensor's name.
 */
export class Scope {
  readonly #path: string;
  readonly #weights: Map<string, Value>;
  readonly #taps: Map<string, Value>;

  constructor(path = "", weights = new Map<string, Value>(), taps = new Map<string, Value>()) {
    this.#path = path;
    this.#weights = weights;
    this.#taps = taps;
  }

  /** The scope one step further in. */
  at(name: string | number): Scope {
    return new Scope(this.#name(`${name}`), this.#weights, this.#taps);
  }

  /** The weight `name` of this scope. Asking twice gives the same value. */
  weight(name: string, shape: readonly number[]): Value {
    const full = this.#name(name);
    const known = this.#weights.get(full);
    if (known !== undefined) {
      assert(`${known.shape}` === `${shape}`, `${full} is described as [${known.shape}] and as [${shape}]`);
      return known;
    }
    const value: Value = { dtype: "float32", shape, origin: { kind: "weight", name: full } };
    this.#weights.set(full, value);
    return value;
  }

  /** Names an intermediate, so that whoever compiles the graph may ask to see it. */
  tap(name: string, value: Value): Value {
    this.#taps.set(this.#name(name), value);
    return value;
  }

  /** Every weight asked for so far, in the order of asking. */
  get weights(): ReadonlyMap<string, Value> {
    return this.#weights;
  }

  get taps(): ReadonlyMap<string, Value> {
    return this.#taps;
  }

  #name(name: string): string {
    return this.#path === "" ? name : `${this.#path}.${name}`;
  }
}

// --- arithmetic on sizes that may be names ---

export const plus = (a: Dim, b: Dim): Dim =>
  typeof a === "number" && typeof b === "number" ? a + b : a === 0 ? b : b === 0 ? a : `${a}+${b}`;

export const times = (a: Dim, b: Dim): Dim =>
  typeof a === "number" && typeof b === "number" ? a * b : a === 1 ? b : b === 1 ? a : `${factor(a)}*${factor(b)}`;

/** The size that two shapes agree on when one is stretched over the other. */
export function broadcastDim(a: Dim, b: Dim): Dim | undefined {
  if (a === b || b === 1) return a;
  if (a === 1) return b;
  if (typeof a === "string") return b; // a name may turn out to be any number; the runtime checks
  return typeof b === "string" ? a : undefined;
}

/** A size that must be known while describing. */
export function known(dim: Dim | undefined, what: string): number {
  assert(typeof dim === "number", `${what} must be known when the graph is described, found ${dim}`);
  return dim;
}

// --- internal ---

const factor = (dim: Dim): string => (typeof dim === "string" && dim.includes("+") ? `(${dim})` : `${dim}`);
