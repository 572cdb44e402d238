import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { broadcastDim, type Dim, input, known, plus, Scope, times } from "./value.js";

test("a path through scopes is a weight's name, and asking twice gives the same weight", () => {
  const p = new Scope();
  const layer = p.at("decoder").at("layers").at(3);
  const weight = layer.weight("fc1.weight", [4, 2]);
  assert.equal(p.at("decoder.layers.3").weight("fc1.weight", [4, 2]), weight);
  assert.deepEqual([...p.weights], [["decoder.layers.3.fc1.weight", weight]]);
  assert.deepEqual(weight.origin, { kind: "weight", name: "decoder.layers.3.fc1.weight" });
  assert.equal(layer.weights, p.weights);
});

test("weights are listed in the order of asking", () => {
  const p = new Scope();
  for (const name of ["c", "a", "b", "a"]) p.weight(name, [1]);
  assert.deepEqual([...p.weights.keys()], ["c", "a", "b"]);
});

test("one name cannot have two shapes", () => {
  const p = new Scope();
  p.at("a").weight("w", [4, 2]);
  assert.throws(() => p.at("a").weight("w", [2, 4]), /a\.w is described as \[4,2\] and as \[2,4\]/);
});

test("a tap names a value under its scope and hands it on", () => {
  const p = new Scope();
  const x = input("x", "float32", [1]);
  assert.equal(p.at("layers").at(0).tap("hidden", x), x);
  assert.deepEqual([...p.taps], [["layers.0.hidden", x]]);
  assert.equal(p.weights.size, 0);
});

test("arithmetic on names means what it says", () => {
  const sizes: Record<string, number> = { T: 7, S: 3 };
  const evaluate = (dim: Dim) => Number(new Function(...Object.keys(sizes), `return ${dim}`)(...Object.values(sizes)));
  const leaf = fc.constantFrom<Dim>(0, 1, 2, 5, "T", "S");
  const { sum } = fc.letrec<{ sum: { dim: Dim; size: number } }>((tie) => ({
    sum: fc.oneof(
      { maxDepth: 4 },
      leaf.map((dim) => ({ dim, size: typeof dim === "number" ? dim : sizes[dim]! })),
      fc.tuple(tie("sum"), tie("sum"), fc.boolean()).map(([a, b, added]) => ({
        dim: (added ? plus : times)(a.dim, b.dim),
        size: added ? a.size + b.size : a.size * b.size,
      })),
    ),
  }));
  fc.assert(fc.property(sum, ({ dim, size }) => assert.equal(evaluate(dim), size)));
});

test("known sizes stay numbers, and neutral ones leave a name alone", () => {
  assert.deepEqual([plus(2, 3), times(2, 3)], [5, 6]);
  assert.deepEqual([plus("T", 0), plus(0, "T"), times("T", 1), times(1, "T")], ["T", "T", "T", "T"]);
});

test("broadcasting: 1 is stretched, a name may be anything, two numbers must agree", () => {
  for (const [a, b, result] of [
    [3, 3, 3],
    [3, 1, 3],
    [1, 0, 0],
    [3, 2, undefined],
    [0, 2, undefined],
    ["T", 1, "T"],
    ["T", 3, 3],
    ["T", "T", "T"],
  ] as const) {
    assert.equal(broadcastDim(a, b), result);
    assert.equal(broadcastDim(b, a), result);
  }
});

test("a size that must be known says what it is for", () => {
  assert.equal(known(3, "heads"), 3);
  assert.throws(() => known("T", "heads"), /heads must be known when the graph is described, found T/);
  assert.throws(() => known(undefined, "heads"), /heads must be known/);
});
