/** @file Files inside packages that may be installed beside us. */

import { createRequire } from "node:module";

/** Where `file` of the package `name` lies, as its `exports` have it; undefined if it is not installed. */
export function packageFile(name: string, file: string): string | undefined {
  try {
    return require.resolve(`${name}/${file}`);
  } catch {
    return undefined;
  }
}

// --- internal ---

const require = createRequire(import.meta.url);
