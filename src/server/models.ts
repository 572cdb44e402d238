/** @file The models that requests may name: those the server was started with or trained, and those of the hub's cache. */

import { cachedIds, cachedModel, openFolder, removeModel } from "#platform";
import { HocketError } from "../errors.js";
import { type ModelFacts, modelFacts } from "../model-facts.js";
import type { Place } from "./jobs.js";
import { fits, type MachineMemory } from "./machine-memory.js";
import { Problem } from "./problems.js";
import type { Trained } from "./train-trained.js";
import type { ModelResource } from "./wire-models.js";

export interface Found {
  readonly place: Place;
  readonly facts: ModelFacts;
}

export class Models {
  /** Facts do not change while a model lies where it lies. */
  readonly #known = new Map<string, Promise<ModelFacts>>();

  /**
   * @param own the first is used where a request names none
   * @param trained those that were trained here
   */
  constructor(
    readonly own: readonly Place[],
    readonly trained: () => Promise<readonly Trained[]> = async () => [],
  ) {}

  /** Those that can be used; what is damaged or of another kind is left out. */
  async list(): Promise<Found[]> {
    const places = [...this.own, ...(await this.#others())];
    const found = await Promise.all(places.map((place) => this.#describe(place).catch(() => undefined)));
    return found.filter((each) => each !== undefined);
  }

  /** @throws Problem if there is none of that name */
  async find(name = this.own[0]!.name): Promise<Found> {
    const place = this.own.find((each) => each.name === name);
    if (place !== undefined) return this.#describe(place);
    const other = (await this.#others()).find((each) => each.name === name);
    if (other !== undefined) return this.#describe(other);
    throw Problem.invalid([["model", `${name} is not on this machine; GET /v1/models lists what is`]]);
  }

  /** @throws Problem unless it can compose */
  async findMusic(name?: string): Promise<Found & { facts: ModelFacts & { kind: "music" } }> {
    const { place, facts } = await this.find(name);
    if (facts.kind === "music") return { place, facts };
    throw Problem.invalid([["model", `${facts.name} is a codec: it encodes and decodes, and cannot compose`]]);
  }

  /** @throws Problem for what is not in the hub's cache */
  async remove(name: string): Promise<void> {
    if (this.own.some((place) => place.name === name))
      throw Problem.invalid([["name", `the server was started with ${name}: it stays`]]);
    const { place } = await this.find(name).catch((error) => {
      throw Problem.about("name", error);
    });
    if (place.run !== undefined)
      throw Problem.invalid([["name", `${name} was trained here: delete its run, /v1/training/runs/${place.run}`]]);
    await removeModel(name);
    this.#known.delete(`${place.path}\n${place.name}`);
  }

  /** @param memory of the machine that composes; undefined where that is others */
  resource({ place, facts }: Found, memory: MachineMemory | undefined): ModelResource {
    const music = facts.kind === "music" ? facts : undefined;
    const { guidance, temperature, topK, topP } = music?.defaults ?? {};
    return {
      name: facts.name,
      kind: facts.kind,
      default: place === this.own[0],
      licence: facts.licence ?? null,
      commercial: facts.licence === undefined || /^see /.test(facts.licence) ? null : !/-nc(-|$)/.test(facts.licence),
      bytes: facts.size,
      memory: Math.round(facts.memory),
      fits: memory === undefined ? null : fits(facts.memory, memory),
      sample_rate: facts.sampleRate,
      channels: facts.channels,
      frame_rate: facts.frameRate,
      codebooks: facts.codebooks,
      bins: facts.bins,
      run: place.run ?? null,
      melody: music?.melody ?? false,
      window: music?.defaults.window ?? null,
      defaults:
        music === undefined
          ? null
          : { guidance: guidance ?? 3, temperature: temperature ?? 1, top_k: topK ?? 250, top_p: topP ?? 0 },
    };
  }

  async #others(): Promise<Place[]> {
    const hub = await cached(this.own);
    return [...standing(await this.trained(), [...this.own, ...hub]), ...hub];
  }

  async #describe(place: Place): Promise<Found> {
    const key = `${place.path}\n${place.name}`;
    let facts = this.#known.get(key);
    if (facts === undefined) {
      facts = openFolder(place.path).then((folder) => modelFacts(folder, place.name));
      this.#known.set(key, facts);
      facts.catch(() => this.#known.delete(key));
    }
    try {
      return { place, facts: { ...(await facts), ...(place.run !== undefined && { licence: place.licence }) } };
    } catch (error) {
      if (!(error instanceof HocketError)) throw error;
      throw new Problem("unusable", error.message, { errors: [["model", error.message]] });
    }
  }
}

// --- internal ---

/** Those whose base is here; adapters stand on it. */
function standing(trained: readonly Trained[], others: readonly Place[]): Place[] {
  const bases = [...others, ...trained.map(({ place }) => place)];
  return trained.flatMap(({ base, place }) => {
    const path = place.path ?? bases.find(({ name }) => name === base)?.path;
    return path === undefined ? [] : [{ ...place, path }];
  });
}

/** Those of the hub's cache that are whole. */
async function cached(own: readonly Place[]): Promise<Place[]> {
  const ids = (await cachedIds()).filter((id) => !own.some(({ name }) => name === id));
  const folders = await Promise.all(ids.map((id) => cachedModel(id).catch(() => undefined)));
  return ids.flatMap((name, i) => (folders[i] === undefined ? [] : [{ name, path: folders[i].location }]));
}
