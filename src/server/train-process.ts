/** @file A process that learns or listens for the server: started, heard, stopped. */

import { type ChildProcess, fork } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";

export interface Ended {
  /** Of its exit; undefined where it was ended. */
  readonly code: number | undefined;
  /** "code 1", or the name of the signal that ended it. */
  readonly how: string;
  /** The last that it said. */
  readonly last: string;
}

export class TrainProcess {
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;

  /**
   * @param module what it runs
   * @param folder that it works in, and keeps other processes away from
   */
  constructor(
    module: string,
    args: readonly string[],
    folder: string,
    { onLine, onMessage }: { onLine?: (line: string) => void; onMessage?: (message: unknown) => void },
  ) {
    this.#child = fork(module, args, {
      // A Ctrl-C in the terminal is for the server, which then says what is to happen.
      ...{ detached: process.platform !== "win32", serialization: "json", stdio: ["ignore", "ignore", "pipe", "ipc"] },
      env: { ...process.env, HOCKET_TRAINING: folder },
      execArgv: ["--import", new URL("./train-leash.js", import.meta.url).href],
    });
    let [rest, last] = ["", ""];
    this.#child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      const lines = `${rest}${text}`.split("\n");
      rest = lines.pop()!.slice(-longest);
      for (const line of lines.map(plain).filter((line) => line !== "")) {
        last = line;
        onLine?.(line);
      }
    });
    this.#child.on("message", (message) => onMessage?.(message));
    // Its exit, once everything that it said was heard. Node's "close" does not come where we hung up.
    const heard = [
      new Promise((resolve) => this.#child.once("disconnect", resolve)),
      new Promise((resolve) => this.#child.stderr!.once("close", resolve)),
    ];
    this.ended = new Promise((resolve) => {
      const over = (code: number | null, how: string) => resolve({ code: code ?? undefined, how, last });
      this.#child.on("error", (error) => over(1, error.message));
      this.#child.on("exit", (code, signal) => {
        void Promise.all(heard).then(() => over(code, signal ?? `code ${code}`));
      });
    });
  }

  /** Has it save what it has, and end. */
  stop(): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  /** Ends it within so many milliseconds; what it has not saved by then is lost. */
  async end(milliseconds: number): Promise<void> {
    this.stop();
    const late = new AbortController();
    const tooLate = sleep(milliseconds, "late" as const, { signal: late.signal }).catch(() => undefined);
    if ((await Promise.race([this.ended, tooLate])) === "late") this.#child.kill("SIGKILL");
    late.abort();
    await this.ended;
  }
}

// --- internal ---

/** In characters, of a line. */
const longest = 2000;

const plain = (line: string): string =>
  stripVTControlCharacters(line)
    .replace(/[\p{Cc}\s]+/gu, " ")
    .trim()
    .slice(0, longest);
