/** @file The caller's end of the computing thread: every call is a message, so nothing here blocks. */

import { parse, relative, resolve } from "node:path";
import { Worker } from "node:worker_threads";
import { HocketError } from "../../errors.js";
import type { Growing, Runtime, Session, SessionOptions, State, Tensors } from "../platform.js";

/** What the thread can be asked for. Ids name sessions and states, which live there. */
export type Request = { call: number } & (
  | { do: "create"; model: Uint8Array; options: SessionOptions }
  | { do: "open"; held: Tensors; growing: readonly Growing[] }
  | { do: "run"; session: number; inputs: Tensors; state?: number }
  | { do: "close"; id: number }
);
export type Reply = { call: number; result: unknown } | { call: number; error: string };

/** A runtime on one thread of its own: its sessions take turns. */
export function createRuntime(): Runtime {
  const thread = new Thread();
  return {
    external: (location) => {
      // The runtime accepts only relative paths that stay inside one folder: the root of the file system is that folder.
      const path = relative(root, resolve(location));
      if (parse(path).root !== "")
        throw new HocketError(
          "unsupported",
          `${location} is on another drive than ${root}: move the model onto that drive`,
        );
      return path;
    },
    async createSession(model, options = {}) {
      const id = (await thread.call({ do: "create", model, options })) as number;
      return new NodeSession(thread, id);
    },
    dispose: () => thread.end(),
  };
}

// --- internal ---

const root = parse(process.cwd()).root;

type Call = { resolve(value: unknown): void; reject(error: Error): void };
type Unnumbered<T> = T extends unknown ? Omit<T, "call"> : never;

class Thread {
  readonly #worker = new Worker(new URL("./worker.js", import.meta.url), { workerData: { root } });
  readonly #waiting = new Map<number, Call>();
  #calls = 0;
  #ended: Error | undefined;

  constructor() {
    this.#worker.unref();
    this.#worker.on("message", (reply: Reply) => {
      const call = this.#waiting.get(reply.call);
      this.#waiting.delete(reply.call);
      // While nothing is asked, the thread must not keep the process alive.
      if (this.#waiting.size === 0) this.#worker.unref();
      if ("error" in reply) call?.reject(new HocketError("internal", `the runtime failed: ${reply.error}`));
      else call?.resolve(reply.result);
    });
    const fail = (error: Error) => {
      this.#ended ??= error;
      for (const call of this.#waiting.values()) call.reject(this.#ended);
      this.#waiting.clear();
    };
    this.#worker.on("error", (error) =>
      fail(new HocketError("internal", `the computing thread failed: ${error.message}`, { cause: error })),
    );
    this.#worker.on("exit", () => fail(new HocketError("internal", "the computing thread has ended")));
  }

  call(request: Unnumbered<Request>): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const call = ++this.#calls;
      this.#waiting.set(call, { resolve, reject });
      this.#worker.ref();
      this.#worker.postMessage({ ...request, call });
    });
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}

class NodeSession implements Session {
  constructor(
    readonly thread: Thread,
    readonly id: number,
  ) {}

  async run(inputs: Tensors, state?: State): Promise<Tensors> {
    const kept = state === undefined ? {} : { state: (state as NodeState).id };
    return (await this.thread.call({ do: "run", session: this.id, inputs, ...kept })) as Tensors;
  }

  async open(held: Tensors, growing: readonly Growing[]): Promise<State> {
    return new NodeState(this.thread, (await this.thread.call({ do: "open", held, growing })) as number);
  }

  async dispose(): Promise<void> {
    await this.thread.call({ do: "close", id: this.id });
  }
}

class NodeState implements State {
  constructor(
    readonly thread: Thread,
    readonly id: number,
  ) {}

  async dispose(): Promise<void> {
    await this.thread.call({ do: "close", id: this.id });
  }
}
