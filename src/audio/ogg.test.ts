import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { HocketError } from "../errors.js";
import { packetsOf, paginate, readPages, writePages } from "./ogg.js";
import { readOggComments, withVorbisComments } from "./vorbis-comment.js";

const file = Uint8Array.from(readFileSync(new URL("../../../test/golden/audio/stereo.ogg", import.meta.url)));

test("pages of another's making are written again as they were", () => {
  assert.deepEqual(writePages(readPages(file), 1), file);
  assert.equal(readOggComments(file).TITLE, "A title");
});

test("packets of any size survive their pages", () => {
  const size = fc.oneof(fc.nat(3), fc.nat(600), fc.constantFrom(254, 255, 256, 510, 65_025, 65_026, 200_000));
  fc.assert(
    fc.property(fc.array(size, { minLength: 1, maxLength: 5 }), (sizes) => {
      const packets = sizes.map((length, i) => new Uint8Array(length).fill(i + 1));
      const pages = paginate(packets);
      pages[pages.length - 1] = { ...pages.at(-1)!, flags: pages.at(-1)!.flags | 4 };
      assert.deepEqual(packetsOf(readPages(writePages(pages, 7))), packets);
    }),
    { numRuns: 50 },
  );
});

test("other tags change nothing else", () => {
  for (const text of ["short", "a long one ".repeat(20_000)]) {
    const tagged = withVorbisComments(file, { TITLE: text }, 3);
    assert.deepEqual(readOggComments(tagged), { TITLE: text });
    const [first, , ...rest] = packetsOf(readPages(tagged));
    const [firstBefore, , ...restBefore] = packetsOf(readPages(file));
    assert.deepEqual([first, ...rest], [firstBefore, ...restBefore]);
    const granules = (bytes: Uint8Array) => readPages(bytes).map(({ granule }) => granule);
    assert.deepEqual(granules(tagged).slice(-2), granules(file).slice(-2));
  }
});

test("every changed byte is noticed, and every missing page", () => {
  fc.assert(
    fc.property(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const changed = file.slice();
      changed[at]! ^= change;
      assert.throws(() => readPages(changed), HocketError);
      assert.throws(() => readPages(file.subarray(0, at)), HocketError);
    }),
  );
  const pages = readPages(file);
  const without = writePages(pages.slice(0, -1), 1);
  assert.throws(() => readPages(without), /last page is missing/);
});
