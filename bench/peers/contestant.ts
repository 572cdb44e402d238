/**
 * @file A process that composes, and does so only while it is told to: it is written how many columns stand before the
 * first step, and answers with a line when it is ready; then each time a number of steps, and answers with the milliseconds of
 * each. The number 0 ends it.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";

export class Contestant {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly times: number[] = [];

  constructor(
    readonly name: string,
    command: readonly string[],
    columns: number,
    env: Readonly<Record<string, string>> = {},
  ) {
    const [program, ...args] = command as [string, ...string[]];
    this.#child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, ...env } });
    this.#child.stdin!.on("error", () => {}); // it has ended, and its lines say so
    const lines: Interface = createInterface(this.#child.stdout!);
    this.#lines = lines[Symbol.asyncIterator]();
    this.#child.stdin!.write(`${columns}\n`);
  }

  /** Waits until it could begin. */
  async ready(): Promise<void> {
    await this.#answer();
  }

  /** @param counted whether these steps belong to what is measured */
  async run(steps: number, counted = true): Promise<void> {
    this.#child.stdin!.write(`${steps}\n`);
    const times = await this.#answer();
    if (counted) this.times.push(...times);
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exit;
  }

  async #answer(): Promise<number[]> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error(`${this.name} has ended`);
    return JSON.parse(value) as number[];
  }
}
