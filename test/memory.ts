/** @file For tests: a folder of files that are in memory. */

import { HocketError } from "../src/errors.js";
import type { ByteSource, Folder } from "../src/platform/platform.js";

/** `bytes` as a file. What is read is a view on them, not a copy. */
export const memorySource = (location: string, bytes: Uint8Array): ByteSource => ({
  location,
  size: bytes.length,
  async read(offset, length) {
    if (!(offset >= 0 && length >= 0 && offset + length <= bytes.length))
      throw new HocketError("bad-file", `${location} ends at byte ${bytes.length}: ${offset + length} was needed`);
    return bytes.subarray(offset, offset + length);
  },
  async close() {},
});

export const memoryFolder = (files: Readonly<Record<string, Uint8Array>>, location = "memory"): Folder => ({
  location,
  list: async () => Object.keys(files).sort(),
  open: async (name) => (Object.hasOwn(files, name) ? memorySource(`${location}/${name}`, files[name]!) : undefined),
});
