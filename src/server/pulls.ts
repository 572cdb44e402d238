/** @file Models on their way from the hub: started by a request, going on without it, and taken up where they stopped. */

import { isHubId, type PullEvent, pull } from "#platform";
import { Problem } from "./problems.js";
import type { PullResource } from "./wire-models.js";

interface Pulling {
  shown: PullResource;
  readonly stop: AbortController;
}

/** At the same time. */
const most = 2;

export class Pulls {
  readonly #pulls = new Map<string, Pulling>();

  /** Those that go on, and how the others since the start ended. */
  list(): PullResource[] {
    return [...this.#pulls.values()].map(({ shown }) => shown);
  }

  /** Fetches a model of the hub; what arrived before is not fetched again. */
  start(name: string): PullResource {
    if (!isHubId(name)) throw Problem.invalid([["name", `"${name}" is not the name of a model, as owner/name`]]);
    const known = this.#pulls.get(name);
    if (known?.shown.state === "fetching") return known.shown;
    const going = this.list().filter(({ state }) => state === "fetching");
    if (going.length >= most)
      throw new Problem("too-many", `${most} models are being fetched: ask again when one is there`, {
        headers: { "retry-after": "30" },
      });
    const shown: PullResource = { name, state: "fetching", file: null, received: 0, bytes: null, error: null };
    const pulling: Pulling = { shown, stop: new AbortController() };
    this.#pulls.set(name, pulling);
    void this.#run(pulling);
    return shown;
  }

  /** @returns whether there was one to stop */
  stop(name: string): boolean {
    const known = this.#pulls.get(name);
    this.#pulls.delete(name);
    known?.stop.abort();
    return known?.shown.state === "fetching";
  }

  stopAll(): void {
    for (const { stop } of this.#pulls.values()) stop.abort();
  }

  async #run(pulling: Pulling): Promise<void> {
    const show = (change: Partial<PullResource>) => {
      pulling.shown = { ...pulling.shown, ...change };
    };
    try {
      for await (const event of pull(pulling.shown.name, { signal: pulling.stop.signal })) show(changeBy(event));
    } catch (error) {
      show({ state: "failed", error: Problem.of(error).toJSON() });
    }
  }
}

// --- internal ---

function changeBy(event: PullEvent): Partial<PullResource> {
  if (event.type === "done") return { state: "done" };
  if (event.type === "waiting") return { file: event.name };
  const received = event.type === "progress" ? event.received : 0;
  return { file: event.name, received, bytes: event.size ?? null };
}
