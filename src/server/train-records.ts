/** @file What is remembered of learning: a JSON file in each folder, named by an id, and written whole or not at all. */

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "#platform";
import { idPattern } from "./wire.js";

/** The records in the folders of `data`; what cannot be read is passed over. */
export async function readRecords(data: string, name: string): Promise<{ id: string; value: unknown }[]> {
  const ids = (await readdir(data).catch(() => [] as string[])).filter((id) => idPattern.test(id));
  const found = await Promise.all(
    ids.map(async (id) => {
      try {
        return [{ id, value: JSON.parse(await readFile(join(data, id, name), "utf8")) as unknown }];
      } catch {
        return [];
      }
    }),
  );
  return found.flat();
}

export const writeRecord = (folder: string, name: string, record: object): Promise<void> =>
  writeFileAtomically(join(folder, name), new TextEncoder().encode(`${JSON.stringify(record, null, 1)}\n`));
