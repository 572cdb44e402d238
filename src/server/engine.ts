/** @file The server's end of the process that computes: started when it is needed, and again if it dies. */

import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { HocketError } from "../errors.js";
import type { FromEngine, ToEngine } from "./engine-messages.js";
import type { Job, JobEvent, Place } from "./jobs.js";

export interface EngineOptions {
  readonly threads: number | undefined;
  readonly log: (line: string) => void;
}

type Calls = Extract<ToEngine, { call: number }>;
type Uncalled<T> = T extends unknown ? Omit<T, "call"> : never;

export class Engine {
  #process: ChildProcess | undefined;
  #ended = false;
  #serial = 0;
  #batch: { number: number; onEvent: (id: string, event: JobEvent) => void; over: (lost: boolean) => void } | undefined;
  readonly #calls = new Map<
    number,
    { resolve: (result: Uint8Array | undefined) => void; reject: (error: Error) => void }
  >();

  constructor(readonly options: EngineOptions) {}

  /**
   * Composes jobs of one kind; one call at a time.
   * @returns whether the process died at it
   */
  compose(jobs: readonly Job[], onEvent: (id: string, event: JobEvent) => void): Promise<boolean> {
    return new Promise((over) => {
      const number = ++this.#serial;
      this.#batch = { number, onEvent, over };
      this.#send({ do: "compose", batch: number, jobs });
    });
  }

  /** Has the model loaded before it is asked for. */
  prepare(model: Place): void {
    this.#send({ do: "prepare", model });
  }

  /** No more is heard of the job. */
  cancel(id: string): void {
    if (this.#process !== undefined) this.#send({ do: "cancel", id });
  }

  call(request: Uncalled<Calls>): Promise<Uint8Array | undefined> {
    return new Promise((resolve, reject) => {
      const call = ++this.#serial;
      this.#calls.set(call, { resolve, reject });
      this.#send({ ...request, call } as Calls);
    });
  }

  /** Of the process that computes now. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  async close(): Promise<void> {
    this.#ended = true;
    const child = this.#process;
    if (child === undefined) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    if (child.connected) child.send({ do: "end" } satisfies ToEngine, () => {});
    const late = setTimeout(() => child.kill("SIGKILL"), patience);
    await gone;
    clearTimeout(late);
  }

  #send(message: ToEngine): void {
    this.#process ??= this.#start();
    this.#process.send(message, () => {}); // a process that died is heard of at its exit
  }

  #start(): ChildProcess {
    const child = fork(entry, [`${this.options.threads ?? ""}`], { serialization: "advanced", execArgv: [] });
    child.on("message", (message: FromEngine) => this.#hear(message));
    child.on("error", (error) => this.options.log(`the computing process: ${error.message}`));
    child.on("exit", (code, signal) => this.#lose(child, signal ?? `code ${code}`));
    return child;
  }

  #hear(message: FromEngine): void {
    if ("event" in message) this.#batch?.onEvent(message.id, message.event);
    else if ("over" in message) {
      if (this.#batch?.number === message.over) this.#end(false);
    } else {
      const call = this.#calls.get(message.call);
      this.#calls.delete(message.call);
      if ("failed" in message) call?.reject(new HocketError(message.failed.code, message.failed.message));
      else call?.resolve(message.result);
    }
  }

  #lose(child: ChildProcess, how: string): void {
    if (this.#process !== child) return;
    this.#process = undefined;
    if (!this.#ended) this.options.log(`the computing process ended (${how})`);
    for (const call of this.#calls.values())
      call.reject(new HocketError("internal", `the computing process ended (${how}): the model may need more memory`));
    this.#calls.clear();
    this.#end(true);
  }

  #end(lost: boolean): void {
    const batch = this.#batch;
    this.#batch = undefined;
    batch?.over(lost);
  }
}

// --- internal ---

const entry = fileURLToPath(new URL("./engine-process.js", import.meta.url));

/** Milliseconds that it may take to end. */
const patience = 5000;
