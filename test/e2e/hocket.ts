/** @file For tests: `hocket` as people run it, a process of its own in a fresh folder, with a home that is empty. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { repositoryFile } from "../golden.js";

export const bin = repositoryFile("bin/hocket.js");
export const miniModel = repositoryFile("models/mini-reference");

export interface Run {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Names in the folder that it ran in, afterwards. */
  readonly files: readonly string[];
}

export interface RunOptions {
  /** Where to run; a fresh folder if not said. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Called every 10 ms. */
  readonly watch?: (child: { kill(signal: NodeJS.Signals): void; milliseconds: number }) => void;
  /** What a shell does first, such as `ulimit -f 8`. */
  readonly shell?: string;
  /** Stops reading its stdout at once. */
  readonly deaf?: boolean;
  readonly uid?: number;
}

/** A folder that is removed when the tests of this file are done. */
export function folder(files: Readonly<Record<string, Uint8Array | string>> = {}): string {
  const path = mkdtempSync(join(tmpdir(), "hocket-e2e-"));
  folders.push(path);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content);
  return path;
}

/** Runs `hocket ...args`. Whatever happens, it prints no stack trace and leaves its home alone. */
export async function hocket(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const { cwd = folder(), env = {}, watch, shell, deaf = false, uid } = options;
  const home = folder();
  const command = [process.execPath, bin, ...args];
  const [file, ...words] = shell === undefined ? command : ["bash", "-c", `${shell}; exec "$@"`, "bash", ...command];
  const child = spawn(file!, words, {
    cwd,
    env: { PATH: process.env.PATH, HOME: home, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    ...(uid === undefined ? {} : { uid }),
  });
  const printed = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const)
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      printed[stream] += text;
    });
  if (deaf) child.stdout.destroy();
  const started = performance.now();
  const ticks = setInterval(
    () => watch?.({ kill: (signal) => child.kill(signal), milliseconds: performance.now() - started }),
    10,
  );
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve([code, signal]));
  });
  clearInterval(ticks);
  assert.doesNotMatch(printed.stderr, /\n +at |did not expect/, "a stack trace, or an error that nobody thought of");
  assert.deepEqual(readdirSync(home), [], "something was left in the home folder");
  return { code, signal, ...printed, files: readdirSync(cwd).sort() };
}

/** The same, where it must succeed. */
export async function succeeds(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const run = await hocket(args, options);
  assert.equal(run.code, 0, `hocket ${args.join(" ")}: ${run.stderr}`);
  return run;
}

/** The same, where it must be refused: one line that says `message`, exit code 2, and no new file. */
export async function refuses(args: readonly string[], message: RegExp, options: RunOptions = {}): Promise<void> {
  const cwd = options.cwd ?? folder();
  const before = readdirSync(cwd).sort();
  const { code, stdout, stderr, files } = await hocket(args, { ...options, cwd });
  const what = `hocket ${args.join(" ").slice(0, 200)}`;
  assert.match(stderr, /^[^\n]+\n$/, `${what}: not one line on stderr`);
  assert.match(stderr, message, what);
  assert.equal(code, 2, what);
  assert.equal(stdout, "", what);
  assert.deepEqual(files, before, what);
}

/** Does `work` for every item, three at a time. */
export async function each<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all([worker(), worker(), worker()]);
}

/** The one line of JSON that a run with --json printed. */
export function json<T>({ stdout }: Run): T {
  assert.match(stdout, /^[^\n]+\n$/, "not one line of JSON");
  return JSON.parse(stdout) as T;
}

/** A folder with the files of `model`, as links, but for those in `other`: replaced, or left out where undefined. */
export function modelFolder(
  other: Readonly<Record<string, Uint8Array | string | undefined>>,
  model = miniModel,
): string {
  const path = folder();
  for (const name of readdirSync(model)) if (!(name in other)) symlinkSync(join(model, name), join(path, name));
  for (const [name, content] of Object.entries(other))
    if (content !== undefined) writeFileSync(join(path, name), content);
  return path;
}

export const read = (cwd: string, name: string): Uint8Array => new Uint8Array(readFileSync(join(cwd, name)));

// --- internal ---

const folders: string[] = [];
after(() => {
  for (const path of folders) rmSync(path, { recursive: true, force: true });
});
