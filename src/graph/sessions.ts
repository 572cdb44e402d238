/** @file The sessions of a model, each compiled when it is first asked for. */

import type { Runtime, Session, SessionOptions } from "../platform/platform.js";
import { type Binder, compile } from "./compile.js";
import { Scope, type Value } from "./value.js";

export class Sessions {
  readonly #made = new Map<string, Promise<Session>>();

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
