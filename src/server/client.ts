/** @file A client of the API for programs, in Node and in browsers: what the server's schemas say, as types. */

import type {
  Generation,
  GenerationInput,
  GenerationList,
  GenerationPatch,
  ModelResource,
  ProblemBody,
  Progress,
} from "./wire.js";

export type { Generation, GenerationInput, GenerationList, GenerationPatch, ModelResource, ProblemBody, Progress };

export interface ClientOptions {
  /** Where the server is; in a browser the page's own, if not said. */
  readonly url?: string;
  readonly token?: string;
  /** Who asks, for taking turns with others. */
  readonly clientId?: string;
  readonly fetch?: typeof fetch;
}

/** What happens to a generation. Sound comes as amplitudes, [channels][samples], from sample `at` on. */
export type GenerationEvent =
  | { readonly type: "state" | "done" | "failed" | "cancelled"; readonly generation: Generation }
  | { readonly type: "progress"; readonly progress: Progress }
  /** Columns of codes from `frame` on: [piece][codebook][column]. */
  | { readonly type: "codes"; readonly frame: number; readonly pieces: readonly (readonly (readonly number[])[])[] }
  | {
      readonly type: "audio";
      readonly piece: number;
      readonly at: number;
      readonly sampleRate: number;
      readonly channels: readonly Float32Array<ArrayBuffer>[];
    }
  | { readonly type: "deleted" };

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

  async models(): Promise<ModelResource[]> {
    return (await this.#json<{ data: ModelResource[] }>("GET", "/v1/models")).data;
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
    let last: string | undefined;
    const path = `/v1/generations/${id}/events${search({ include: include?.join(",") })}`;
    for (let failures = 0; ; failures++) {
      try {
        const headers: Record<string, string> = last === undefined ? {} : { "last-event-id": last };
        const response = await this.#fetch("GET", path, { headers, ...signalled(signal) });
        if (response.status === 204) return;
        for await (const { event, id, data } of eventsOf(response.body!)) {
          failures = 0;
          if (id !== undefined) last = id;
          yield shaped(event, JSON.parse(data));
          if (last === "end") return;
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

  /** The generation when it is over. */
  async finished(id: string, options: { signal?: AbortSignal } = {}): Promise<Generation> {
    for await (const event of this.events(id, { ...options, include: [] }))
      if ("generation" in event && event.type !== "state") return event.generation;
    return this.get(id);
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

interface Raw {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: string;
}

/** The events of a text/event-stream. */
async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Raw> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += decoder.decode(value, { stream: true });
      const blocks = text.split("\n\n");
      text = blocks.pop()!;
      for (const block of blocks) {
        const fields = block.split("\n").map((line) => /^(\w+): ?(.*)$/s.exec(line) ?? []);
        const field = (wanted: string) => fields.find(([, name]) => name === wanted)?.[2];
        const data = field("data");
        if (data !== undefined) yield { event: field("event") ?? "message", id: field("id"), data };
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

interface AudioData {
  readonly piece: number;
  readonly at: number;
  readonly sample_rate: number;
  readonly channels: number;
  readonly pcm: string;
}

function shaped(event: string, data: unknown): GenerationEvent {
  switch (event) {
    case "progress":
      return { type: "progress", progress: data as Progress };
    case "codes":
      return { type: "codes", ...(data as { frame: number; pieces: number[][][] }) };
    case "audio": {
      const { piece, at, sample_rate: sampleRate, channels, pcm } = data as AudioData;
      return { type: "audio", piece, at, sampleRate, channels: fromPcm(pcm, channels) };
    }
    case "deleted":
      return { type: "deleted" };
    default:
      return { type: event as Generation["state"] & "done", generation: data as Generation };
  }
}

/** base64 of interleaved little-endian 16-bit PCM as [C][N]. */
function fromPcm(pcm: string, count: number): Float32Array<ArrayBuffer>[] {
  const bytes = Uint8Array.from(atob(pcm), (unit) => unit.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const samples = bytes.length / 2 / count;
  return Array.from({ length: count }, (_, c) => {
    const channel = new Float32Array(samples);
    for (let n = 0; n < samples; n++) channel[n] = view.getInt16(2 * (n * count + c), true) / 32768;
    return channel;
  });
}
