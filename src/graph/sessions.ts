/** @file The sessions of a model, each compiled when it is first asked for. */

import type { Runtime, Session, SessionOptions, Tensors } from "../platform/platform.js";
import { elementCount } from "../tensor.js";
import { type Binder, compile } from "./compile.js";
import { Scope, type Value } from "./value.js";

/** Bytes of weights: those of smaller sessions are kept, for making them would take longer than running them. */
export const worthKeeping = 2 ** 26;

export class Sessions {
  readonly #made = new Map<string, Promise<Session>>();
  /** Of each session that runs rarely: how many wait for it; and those that are let go of. */
  readonly #running = new Map<string, number>();
  readonly #passing = new Set<string>();

  constructor(
    readonly runtime: Runtime,
    readonly bind: Binder,
    readonly options: SessionOptions,
  ) {}

  /** The session `name`, which computes what `describe` returns. If compiling fails, the next call tries again. */
  get(
    name: string,
    describe: (p: Scope) => Readonly<Record<string, Value>>,
    options: SessionOptions = {},
  ): Promise<Session> {
    const made = this.#made.get(name);
    if (made !== undefined) return made;
    const session = compile(this.runtime, describe(new Scope()), this.bind, { ...this.options, ...options });
    session.catch(() => this.#made.get(name) === session && this.#made.delete(name));
    this.#made.set(name, session);
    return session;
  }

  /**
   * Runs the session `name`, which will be needed once or twice. If its weights are large, it is let go of when nobody else
   * waits for it: what T5-base and the text's keys and values hold of their file, 540 MB, is a third of what MusicGen small
   * holds in int4. For the next prompt they are made anew, which takes 0.12 s of processor time (they lie in the system's memory).
   */
  async once(name: string, describe: (p: Scope) => Readonly<Record<string, Value>>, inputs: Tensors): Promise<Tensors> {
    let bytes = 0;
    const measured = (p: Scope) => {
      const outputs = describe(p);
      for (const { shape } of p.weights.values()) bytes += 4 * elementCount(shape as readonly number[]);
      return outputs;
    };
    const others = () => this.#running.get(name) ?? 0;
    this.#running.set(name, others() + 1);
    try {
      return await (await this.get(name, measured, { rarely: true })).run(inputs);
    } finally {
      this.#running.set(name, others() - 1);
      if (bytes > worthKeeping && this.runtime.device === "cpu") this.#passing.add(name); // a GPU would be sent them again
      if (others() === 0 && this.#passing.has(name)) await this.dispose((other) => other === name);
    }
  }

  /** Disposes of the sessions whose name `which` picks. */
  async dispose(which: (name: string) => boolean = () => true): Promise<void> {
    const gone = [...this.#made].filter(([name]) => which(name));
    for (const [name] of gone) this.#made.delete(name);
    await Promise.all(
      gone.map(([, session]) =>
        session.then(
          (made) => made.dispose(),
          () => {}, // it was never made
        ),
      ),
    );
  }
}
