/**
 * @file Asking questions of the benchmark, each in a process of its own, so that neither memory nor threads of one are seen
 * by another. What a question leaves in its folder for temporary files goes with it, however it ends.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { HocketError } from "../errors.js";
import type { Row } from "./row.js";

export interface Question {
  /** Of the rows that it answers with: all of them, or fewer where something is missing, which it says on stderr. */
  readonly ids: readonly string[];
  answer(asked: Asked): Promise<readonly Row[]>;
}

export interface Asked {
  /** Rows that are wanted; what serves only others may be left out. */
  readonly ids: readonly string[];
  /** To compute with; 0: as many as the runtime takes. */
  readonly threads: number;
}

/** By name. A module that exports its `questions` can be asked. */
export type Questions = Readonly<Record<string, Question>>;

/**
 * The ids that `only` names: a row's own, or the beginning of several.
 * @throws HocketError "bad-request" for one that names none
 */
export function wantedIds(questions: Questions, only: readonly string[] | undefined): string[] {
  const all = Object.values(questions).flatMap(({ ids }) => ids);
  if (only === undefined) return all;
  const wanted = only.flatMap((asked) => {
    const found = all.includes(asked) ? [asked] : all.filter((id) => asked !== "" && id.startsWith(asked));
    if (found.length > 0) return found;
    throw new HocketError("bad-request", `no row is called "${asked}": there are ${all.join(", ")}`);
  });
  return all.filter((id) => wanted.includes(id));
}

/**
 * Asks one question after the other.
 * @param module that exports them as `questions`
 * @throws the signal's reason, within a moment
 */
export async function* ask(
  module: URL,
  questions: Questions,
  { ids, threads }: Asked,
  signal?: AbortSignal,
): AsyncGenerator<readonly Row[]> {
  for (const [name, question] of Object.entries(questions)) {
    const wanted = question.ids.filter((id) => ids.includes(id));
    if (wanted.length === 0) continue;
    const rows = await askOne(module, name, { ids: wanted, threads }, signal);
    yield rows.filter(({ id }) => wanted.includes(id));
  }
}

// --- internal ---

async function askOne(module: URL, name: string, asked: Asked, signal: AbortSignal | undefined): Promise<Row[]> {
  signal?.throwIfAborted();
  const folder = await mkdtemp(join(tmpdir(), "hocket-bench-"));
  const program = fileURLToPath(new URL("./answer.js", import.meta.url));
  const child = spawn(process.execPath, [program, module.href, name, JSON.stringify(asked)], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, TMPDIR: folder, TEMP: folder, TMP: folder },
  });
  const kill = () => child.kill("SIGKILL");
  signal?.addEventListener("abort", kill);
  try {
    const [said, [code]] = await Promise.all([text(child.stdout), once(child, "close") as Promise<[number | null]>]);
    signal?.throwIfAborted();
    if (code === 0) return JSON.parse(said) as Row[];
    throw new HocketError("internal", `the benchmark's question "${name}" ended with ${code ?? child.signalCode}`);
  } finally {
    signal?.removeEventListener("abort", kill);
    await rm(folder, { recursive: true, force: true });
  }
}
