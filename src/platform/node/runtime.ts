/** @file The caller's end of what computes: every call is a message, so nothing here blocks. */

import { parse, relative, resolve } from "node:path";
import { Worker } from "node:worker_threads";
import { HocketError } from "../../errors.js";
import { arrayFor, type DType, type Tensor } from "../../tensor.js";
import type { Fed, Kept, Resident, Runtime, RuntimeOptions, Session, State, Tensors, Wanted } from "../platform.js";
import { Calls, type Computer } from "./calls.js";
import { DeviceProcess } from "./device-process.js";
import { busy, type Reply, type RunResult, stopped, type ThreadData, type Unnumbered } from "./thread-messages.js";

/**
 * A runtime on one thread of its own, or, for a GPU, in a process of its own: its sessions take turns. It is started at
 * once, so that it is there when needed.
 */
export function createRuntime({ device = "cpu" }: RuntimeOptions = {}): Runtime {
  // ONNX Runtime would report to its makers, and reads the command line for it: prompts are nobody's business, and one
  // of 10,000 characters overflows its stack. It looks at this once, when it is loaded.
  process.env.ORT_DISABLE_TELEMETRY ??= "1";
  const computer = device === "cpu" ? new Thread() : new DeviceProcess(device, root);
  let other: Runtime | undefined;
  return {
    device,
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
      const id = (await computer.call({ do: "create", model, options })) as number;
      return new NodeSession(computer, id);
    },
    async place(tensor) {
      const { dtype, shape } = tensor;
      return new NodeResident(computer, (await computer.call({ do: "place", tensor })) as number, dtype, shape);
    },
    read: (resident) => computer.call({ do: "read", id: idOf(resident) }) as Promise<Tensor>,
    async release(residents) {
      if (residents.length > 0) await computer.call({ do: "release", ids: residents.map(idOf) });
    },
    beside() {
      other ??= createRuntime();
      return other;
    },
    async dispose() {
      await Promise.all([computer.end(gone()), other?.dispose()]);
    },
  };
}

/** Why there is no GPU to compute on by WebGPU, or undefined where there is one. */
export async function whyNoGpu(): Promise<string | undefined> {
  const gpu = new DeviceProcess("webgpu", root);
  try {
    await gpu.call({ do: "find" });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  } finally {
    await gpu.end(gone());
  }
}

// --- internal ---

const gone = (): HocketError => new HocketError("internal", "the runtime has been disposed of");

const root = parse(process.cwd()).root;

// A thread that is stopped inside the native runtime takes the process down with it, so an exit waits for its run.
const threads = new Set<Thread>();
process.once("exit", () => {
  for (const thread of threads) thread.stop();
});

class Thread implements Computer {
  readonly #shared = new Int32Array(new SharedArrayBuffer(8)).fill(1, busy, busy + 1); // it begins by loading the runtime
  readonly #worker = new Worker(new URL("./worker.js", import.meta.url), {
    workerData: { root, shared: this.#shared } satisfies ThreadData,
    execArgv: [], // not the flags of this process: some ("--input-type") are not for a file
  });
  readonly #calls = new Calls((waiting) => (waiting ? this.#worker.ref() : this.#worker.unref()));
  readonly #exit = new Promise((resolve) => this.#worker.once("exit", resolve));

  constructor() {
    threads.add(this);
    this.#worker.on("message", (reply: Reply) => this.#calls.answer(reply));
    this.#worker.on("error", (error) =>
      this.#calls.fail(new HocketError("internal", `the computing thread failed: ${error.message}`, { cause: error })),
    );
    this.#worker.on("exit", () => {
      threads.delete(this);
      this.#calls.fail(new HocketError("internal", "the computing thread has ended"));
    });
    this.#worker.unref(); // after listening, which takes hold of it again
  }

  call(request: Unnumbered, moved: readonly ArrayBuffer[] = []): Promise<unknown> {
    return this.#calls.make((call) => this.#worker.postMessage({ ...request, call }, moved));
  }

  close(id: number): Promise<void> {
    return this.#calls.unlessEnded(this.call({ do: "close", id }));
  }

  /** Blocks until the run that is going is over; no other will start. For the end of the process. */
  stop(): void {
    Atomics.store(this.#shared, stopped, 1);
    Atomics.wait(this.#shared, busy, 1, 10_000); // a thread that died in it would never say so
  }

  async end(why: Error): Promise<void> {
    this.#calls.fail(why);
    this.#worker.ref();
    this.#worker.postMessage("end");
    await this.#exit;
  }
}

class NodeSession implements Session {
  /** The memory in which each input went to the thread and came back. */
  readonly #carriers = new Map<string, ArrayBuffer>();

  constructor(
    readonly computer: Computer,
    readonly id: number,
  ) {}

  async run(inputs: Fed, state?: State): Promise<Tensors> {
    const kept = state === undefined ? {} : { state: (state as NodeState).id };
    return (await this.#call(inputs, (fed) => ({ do: "run", ...fed, ...kept }))).outputs;
  }

  async leave(inputs: Fed, wanted: readonly Wanted[]): Promise<Fed> {
    const { outputs, stayed } = await this.#call(inputs, (fed) => ({ do: "leave", ...fed, wanted }));
    const there = wanted.flatMap(({ output, dtype, shape }) => {
      const id = stayed[output];
      return id === undefined ? [] : [[output, new NodeResident(this.computer, id, dtype, shape)] as const];
    });
    return { ...outputs, ...Object.fromEntries(there) };
  }

  async #call(inputs: Fed, request: (fed: FedHere) => Unnumbered): Promise<RunResult> {
    const copies: Record<string, Tensor> = {};
    const residents: Record<string, number> = {};
    for (const [name, given] of Object.entries(inputs))
      if ("resident" in given) residents[name] = idOf(given);
      else copies[name] = this.#copy(name, given);
    const moved = Object.values(copies).map(({ data }) => data.buffer as ArrayBuffer);
    const fed = { session: this.id, inputs: copies, residents };
    const result = (await this.computer.call(request(fed), moved)) as RunResult;
    for (const [name, { data }] of Object.entries(result.inputs)) this.#carriers.set(name, data.buffer as ArrayBuffer);
    return result;
  }

  /**
   * A tensor that may go to the thread. In memory that is there already a copy costs an eighth of what it costs to have
   * memory made for it: 11 instead of 90 ms for the weights and moments, 64 MB, of a small codec that learns.
   */
  #copy(name: string, { dtype, shape, data }: Tensor): Tensor {
    const carrier = this.#carriers.get(name);
    this.#carriers.delete(name); // it is away until it comes back
    const buffer = carrier?.byteLength === data.byteLength ? carrier : new ArrayBuffer(data.byteLength);
    new Uint8Array(buffer).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return { dtype, shape, data: new (arrayFor(dtype))(buffer) };
  }

  async open(held: Tensors, kept: readonly Kept[]): Promise<State> {
    return new NodeState(this.computer, (await this.computer.call({ do: "open", held, kept })) as number);
  }

  dispose(): Promise<void> {
    return this.computer.close(this.id);
  }
}

/** What a session is fed, as it goes to where it computes. */
type FedHere = {
  readonly session: number;
  readonly inputs: Tensors;
  readonly residents: Readonly<Record<string, number>>;
};

class NodeResident implements Resident {
  readonly resident = true;

  constructor(
    readonly computer: Computer,
    readonly id: number,
    readonly dtype: DType,
    readonly shape: readonly number[],
  ) {}
}

const idOf = (resident: Resident): number => (resident as NodeResident).id;

class NodeState implements State {
  constructor(
    readonly computer: Computer,
    readonly id: number,
  ) {}

  dispose(): Promise<void> {
    return this.computer.close(this.id);
  }
}
