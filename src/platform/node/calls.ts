/** @file Questions that were asked elsewhere and are not answered yet. */

import { HocketError } from "../../errors.js";
import type { Reply, Unnumbered } from "./thread-messages.js";

/** Whatever computes: a thread, or a process. */
export interface Computer {
  /** @param moved what the request holds that need not be copied, and may be gone from here */
  call(request: Unnumbered, moved?: readonly ArrayBuffer[]): Promise<unknown>;
  /** Lets go of the session or state `id`. */
  close(id: number): Promise<void>;
}

/** Pairs answers with their questions, until it fails: then nothing is answered any more. */
export class Calls {
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #count = 0;
  #ended: Error | undefined;

  /** @param ref is told whether anything is waited for: while nothing is, the process must not be kept alive for it */
  constructor(readonly ref: (waiting: boolean) => void) {}

  get ended(): boolean {
    return this.#ended !== undefined;
  }

  make(send: (call: number) => void): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const call = ++this.#count;
      send(call);
      this.#waiting.set(call, { resolve, reject });
      this.ref(true);
    });
  }

  answer(reply: Reply): void {
    const call = this.#waiting.get(reply.call);
    this.#waiting.delete(reply.call);
    if (this.#waiting.size === 0 && !this.ended) this.ref(false);
    if (!("error" in reply)) call?.resolve(reply.result);
    else if (reply.code !== undefined) call?.reject(new HocketError(reply.code, reply.error));
    else call?.reject(new HocketError("internal", `the runtime failed: ${reply.error}`));
  }

  fail(error: Error): void {
    this.#ended ??= error;
    for (const call of this.#waiting.values()) call.reject(this.#ended);
    this.#waiting.clear();
  }

  /** What an ended computer held is gone already. */
  async unlessEnded(closing: Promise<unknown>): Promise<void> {
    await closing.catch((error) => {
      if (error !== this.#ended) throw error;
    });
  }
}
