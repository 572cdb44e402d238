/** @file The model in memory: one, shared by all who use it, and let go of when another is asked for. */

import { createRuntime, openFolder } from "#platform";
import { type CodecModel, loadCodec, loadModel, type MusicModel } from "../model.js";
import type { Place } from "./jobs.js";

interface Kept {
  readonly key: string;
  readonly model: Promise<CodecModel>;
  readonly users: Set<Promise<unknown>>;
}

export class Loaded {
  readonly #runtime = createRuntime();
  #kept: Kept | undefined;

  /** @param threads to compute with; undefined: one a core */
  constructor(readonly threads: number | undefined) {}

  music<T>(place: Place, use: (model: MusicModel) => Promise<T>): Promise<T> {
    return this.#use(`music ${where(place)}`, () => this.#load(loadModel, place), use);
  }

  /** A whole model's codec is used where that model is in memory. */
  codec<T>(place: Place, use: (model: CodecModel) => Promise<T>): Promise<T> {
    const whole = `music ${where(place)}`;
    const key = this.#kept?.key === whole ? whole : `codec ${where(place)}`;
    return this.#use(key, () => this.#load(loadCodec, place), use);
  }

  async dispose(): Promise<void> {
    await this.#runtime.dispose();
    await this.#letGo();
  }

  async #load<M>(
    load: (...args: Parameters<typeof loadModel>) => Promise<M>,
    { name, path, adapters = [] }: Place,
  ): Promise<M> {
    const options = { precision: "auto" as const, ...(this.threads === undefined ? {} : { threads: this.threads }) };
    const added = adapters.map(async ({ path, strength }) => ({ folder: await openFolder(path), strength }));
    return load(await openFolder(path), name, this.#runtime, options, await Promise.all(added));
  }

  async #use<M extends CodecModel, T>(key: string, load: () => Promise<M>, use: (model: M) => Promise<T>): Promise<T> {
    while (this.#kept !== undefined && this.#kept.key !== key)
      if (this.#kept.users.size > 0) await Promise.allSettled(this.#kept.users);
      else await this.#letGo();
    this.#kept ??= { key, model: load(), users: new Set() };
    const own = this.#kept;
    own.model.catch(() => {
      if (this.#kept === own) this.#kept = undefined; // what could not be loaded may be there next time
    });
    const work = own.model.then((model) => use(model as M));
    own.users.add(work);
    try {
      return await work;
    } finally {
      own.users.delete(work);
    }
  }

  async #letGo(): Promise<void> {
    const model = await this.#kept?.model.catch(() => undefined);
    this.#kept = undefined;
    await model?.dispose();
  }
}

// --- internal ---

const where = ({ path, adapters = [], version }: Place): string => JSON.stringify([path, adapters, version]);
