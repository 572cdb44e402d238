/** @file A client of the API for programs, in Node and in browsers: what the server's schemas say, as types. */

import { eventsOf, type GenerationEvent, type Raw, shaped } from "./client-events.js";
import { TrainingClient } from "./train-client.js";
import type { Generation, GenerationInput, GenerationList, GenerationPatch, ProblemBody, Progress } from "./wire.js";
import type { ModelList, ModelResource, OfferResource, PullResource } from "./wire-models.js";

export type {
  Generation,
  GenerationEvent,
  GenerationInput,
  GenerationList,
  GenerationPatch,
  ModelList,
  ModelResource,
  OfferResource,
  ProblemBody,
  Progress,
  PullResource,
};

export type {
  FolderList,
  FolderResource,
  MusicResource,
  RunEvent,
  RunInput,
  RunNumbers,
  RunResource,
  RunSamples,
} from "./train-client.js";

export interface ClientOptions {
  /** Where the server is; in a browser the page's own, if not said. */
  readonly url?: string;
  readonly token?: string;
  /** Who asks, for taking turns with others. */
  readonly clientId?: string;
  readonly fetch?: typeof fetch;
}

/** The server's refusal: `problem` says which field is wrong and why. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  constructor(
    readonly status: number,
    readonly problem: ProblemBody | undefined,
    /** Seconds, where the server says when to ask again. */
    readonly retryAfter: number | undefined,
  ) {
    super(problem?.detail ?? `the server answers ${status}`);
  }
}

export type CreateOptions = {
  readonly melody?: Blob;
  readonly continue?: Blob;
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
};

export type SoundOptions = {
  readonly piece?: number;
  readonly loudness?: "none" | "clip" | "peak" | "rms" | "loudness";
  readonly bits?: 16 | 24 | 32;
  readonly download?: boolean;
};

export class HocketClient {
  /** Learning: folders of music, and runs. */
  readonly training = new TrainingClient({
    fetch: (method, path, body) => {
      const sent = { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
      return this.#fetch(method, path, body === undefined ? {} : sent);
    },
    events: (path, isLast, signal) => this.#events(path, isLast, signal),
  });
  readonly #options: ClientOptions;

  constructor(options: ClientOptions = {}) {
    this.#options = options;
  }

  /** Orders music. Files, if any, go with it. */
  create(input: GenerationInput, { melody, continue: intro, idempotencyKey, signal }: CreateOptions = {}) {
    const headers: Record<string, string> = idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey };
    let body: string | FormData = JSON.stringify(input);
    if (melody === undefined && intro === undefined) headers["content-type"] = "application/json";
    else {
      const form = new FormData();
      for (const [field, value] of Object.entries(input))
        for (const each of Array.isArray(value) ? value : [value])
          if (each !== undefined) form.append(field, typeof each === "object" ? JSON.stringify(each) : `${each}`);
      if (melody !== undefined) form.append("melody", melody, "melody");
      if (intro !== undefined) form.append("continue", intro, "continue");
      body = form;
    }
    return this.#json<Generation>("POST", "/v1/generations", { headers, body, ...signalled(signal) });
  }

  get(id: string): Promise<Generation> {
    return this.#json("GET", `/v1/generations/${id}`);
  }

  /** A page of what was composed, the newest first. */
  list(
    query: {
      limit?: number;
      cursor?: string;
      state?: Generation["state"];
      favourite?: boolean;
      tag?: string;
      parent?: string;
      q?: string;
    } = {},
  ) {
    return this.#json<GenerationList>("GET", `/v1/generations${search(query)}`);
  }

  /** Everything that was composed, the newest first. */
  async *all(query: Omit<Parameters<HocketClient["list"]>[0] & object, "cursor"> = {}): AsyncGenerator<Generation> {
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await this.list({ ...query, ...(cursor === undefined ? {} : { cursor }) });
      yield* page.data;
      cursor = page.next_cursor;
    }
  }

  update(id: string, change: GenerationPatch): Promise<Generation> {
    const headers = { "content-type": "application/json" };
    return this.#json("PATCH", `/v1/generations/${id}`, { headers, body: JSON.stringify(change) });
  }

  cancel(id: string): Promise<Generation> {
    return this.#json("POST", `/v1/generations/${id}/cancel`);
  }

  async remove(id: string): Promise<void> {
    await this.#fetch("DELETE", `/v1/generations/${id}`);
  }

  /** What is on the server's machine, and what is on its way. */
  models(): Promise<ModelList> {
    return this.#json("GET", "/v1/models");
  }

  /** Lets the server fetch a model of the hub; `models()` says how far it is. */
  pull(name: string): Promise<PullResource> {
    const headers = { "content-type": "application/json" };
    return this.#json("POST", "/v1/models", { headers, body: JSON.stringify({ name }) });
  }

  /** Stops fetching it, or takes it off the server's machine. */
  async removeModel(name: string): Promise<void> {
    await this.#fetch("DELETE", `/v1/models${search({ name })}`);
  }

  /** Where a sound is, for a player or a link. */
  soundUrl(id: string, format: "wav" | "mp3" | "flac" = "wav", options: SoundOptions = {}): string {
    return this.#url(`/v1/generations/${id}/audio.${format}${search(options)}`);
  }

  async sound(id: string, format: "wav" | "mp3" | "flac" = "wav", options: SoundOptions = {}): Promise<Blob> {
    return (await this.#fetch("GET", `/v1/generations/${id}/audio.${format}${search(options)}`)).blob();
  }

  /** A safetensors file. */
  async codes(id: string): Promise<ArrayBuffer> {
    return (await this.#fetch("GET", `/v1/generations/${id}/codes`)).arrayBuffer();
  }

  /** Lets this browser's players and links in, which cannot send the token. */
  async signIn(): Promise<void> {
    await this.#fetch("POST", "/v1/session");
  }

  /**
   * Follows a generation until it is over. A line that is cut is taken up again where it was, so nothing is missing and
   * nothing comes twice.
   * @throws ApiError where the server refuses; the signal's reason
   */
  async *events(
    id: string,
    { include, signal }: { include?: readonly ("progress" | "codes" | "audio")[]; signal?: AbortSignal } = {},
  ): AsyncGenerator<GenerationEvent> {
    const path = `/v1/generations/${id}/events${search({ include: include?.join(",") })}`;
    for await (const { event, data } of this.#events(path, ({ id }) => id === "end", signal))
      yield shaped(event, JSON.parse(data));
  }

  /** The generation when it is over. */
  async finished(id: string, options: { signal?: AbortSignal } = {}): Promise<Generation> {
    for await (const event of this.events(id, { ...options, include: [] }))
      if ("generation" in event && event.type !== "state") return event.generation;
    return this.get(id);
  }

  /** Events of a path; a line that is cut is taken up again where it was. */
  async *#events(path: string, isLast: (event: Raw) => boolean, signal?: AbortSignal): AsyncGenerator<Raw> {
    let last: string | undefined;
    for (let failures = 0; ; failures++) {
      try {
        const headers: Record<string, string> = last === undefined ? {} : { "last-event-id": last };
        const response = await this.#fetch("GET", path, { headers, ...signalled(signal) });
        if (response.status === 204) return;
        for await (const event of eventsOf(response.body!)) {
          failures = 0;
          if (event.id !== undefined) last = event.id;
          yield event;
          if (isLast(event)) return;
        }
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof ApiError && error.status < 500) throw error;
        if (failures >= patience) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, Math.min(5000, 200 * 2 ** failures)));
      signal?.throwIfAborted();
    }
  }

  #url(path: string): string {
    return `${(this.#options.url ?? "").replace(/\/+$/, "")}${path}`;
  }

  async #json<T>(method: string, path: string, init: RequestInit = {}): Promise<T> {
    return (await (await this.#fetch(method, path, init)).json()) as T;
  }

  async #fetch(method: string, path: string, init: RequestInit = {}): Promise<Response> {
    const { token, clientId, fetch: ask = fetch } = this.#options;
    const headers = new Headers(init.headers);
    if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
    if (clientId !== undefined) headers.set("x-client-id", clientId);
    const response = await ask(this.#url(path), { ...init, method, headers });
    if (response.ok) return response;
    const text = await response.text();
    const isProblem = (response.headers.get("content-type") ?? "").startsWith("application/problem+json");
    const after = response.headers.get("retry-after");
    throw new ApiError(
      response.status,
      isProblem ? (JSON.parse(text) as ProblemBody) : undefined,
      after === null ? undefined : Number(after),
    );
  }
}

// --- internal ---

/** Lines that may be cut, one after the other without anything between, before it is given up: about a minute. */
const patience = 15;

const signalled = (signal: AbortSignal | undefined): { signal?: AbortSignal } =>
  signal === undefined ? {} : { signal };

function search(query: object): string {
  const stated = Object.entries(query).filter(([, value]) => value !== undefined);
  return stated.length === 0
    ? ""
    : `?${new URLSearchParams(stated.map(([name, value]): [string, string] => [name, `${value}`]))}`;
}
