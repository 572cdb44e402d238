/** @file A run's diary, `log.jsonl`: a line a step and a line a check, so that any tool can draw it. */

import { appendToFile, openFolder, writeFileAtomically } from "#platform";
import { HocketError } from "../errors.js";

export interface LogLine {
  /** Steps done. */
  readonly step: number;
  readonly [number: string]: number;
}

export const appendLine = (run: string, line: LogLine): Promise<void> =>
  appendToFile(`${run}/${name}`, new TextEncoder().encode(`${JSON.stringify(line)}\n`));

/**
 * The lines up to `step`; what was written after the state that a run goes on from is taken out of the file, and so is a
 * last line that a power cut left half-written.
 */
export async function rewindLog(run: string, step: number): Promise<LogLine[]> {
  const lines = (await readLog(run)).filter((line) => line.step <= step);
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  await writeFileAtomically(`${run}/${name}`, new TextEncoder().encode(text));
  return lines;
}

/** None where there is no log yet. @throws HocketError "bad-file" for a line that is not a step's */
export async function readLog(run: string): Promise<LogLine[]> {
  const file = await (await openFolder(run)).open(name);
  if (file === undefined) return [];
  try {
    const rows = new TextDecoder().decode(await file.read(0, file.size)).split("\n");
    rows.pop(); // what follows the last line's end: nothing, or half a line
    return rows.map((row, i) => parsed(row, `${run}/${name}:${i + 1}`));
  } finally {
    await file.close();
  }
}

// --- internal ---

const name = "log.jsonl";

function parsed(row: string, where: string): LogLine {
  try {
    const line = JSON.parse(row) as LogLine;
    if (Number.isSafeInteger(line.step)) return line;
  } catch {
    // said below
  }
  throw new HocketError("bad-file", `${where} is not a step of training: take the line out`);
}
