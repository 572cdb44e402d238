/** @file The client's part about learning: folders, runs, and what runs say while they go on. */

import type { Raw } from "./client-events.js";
import type { FolderList, MusicResource, RunInput, RunNumbers, RunResource, RunSamples } from "./train-wire.js";

export type {
  FolderList,
  FolderResource,
  MusicResource,
  RunInput,
  RunNumbers,
  RunResource,
  RunSamples,
} from "./train-wire.js";

/** What happens to a run. */
export type RunEvent =
  /** "over": it is stopped, done or failed. */
  | { readonly type: "state" | "over"; readonly run: RunResource }
  /** Lines of its log from line `at` on, in place of those that one has from there on. */
  | { readonly type: "numbers"; readonly at: number; readonly lines: readonly RunNumbers[] }
  | ({ readonly type: "samples" } & RunSamples)
  | { readonly type: "deleted" };

/** How the client asks. */
export interface Asking {
  /** A body is sent as JSON. @throws ApiError where the server refuses */
  fetch(method: string, path: string, body?: object): Promise<Response>;
  /** Events of a path, taken up again where the line was cut, until one of them says that it was the last. */
  events(path: string, isLast: (event: Raw) => boolean, signal?: AbortSignal): AsyncGenerator<Raw>;
}

export class TrainingClient {
  readonly #ask: Asking;

  constructor(ask: Asking) {
    this.#ask = ask;
  }

  /** Folders on the server's machine: those in one of them, or where to begin. */
  folders(folder?: string): Promise<FolderList> {
    return this.#json("GET", `${training}/folders${folder === undefined ? "" : `?folder=${folder}`}`);
  }

  /** Begins to listen through a folder; `music()` says how far it is. */
  listen(folder: string): Promise<MusicResource> {
    return this.#json("POST", `${training}/music`, { folder });
  }

  music(id: string): Promise<MusicResource> {
    return this.#json("GET", `${training}/music/${id}`);
  }

  async musics(): Promise<readonly MusicResource[]> {
    return (await this.#json<{ data: MusicResource[] }>("GET", `${training}/music`)).data;
  }

  async removeMusic(id: string): Promise<void> {
    await this.#ask.fetch("DELETE", `${training}/music/${id}`);
  }

  train(input: RunInput): Promise<RunResource> {
    return this.#json("POST", `${training}/runs`, input);
  }

  run(id: string): Promise<RunResource> {
    return this.#json("GET", `${training}/runs/${id}`);
  }

  async runs(): Promise<readonly RunResource[]> {
    return (await this.#json<{ data: RunResource[] }>("GET", `${training}/runs`)).data;
  }

  stop(id: string): Promise<RunResource> {
    return this.#json("POST", `${training}/runs/${id}/stop`);
  }

  resume(id: string): Promise<RunResource> {
    return this.#json("POST", `${training}/runs/${id}/resume`);
  }

  async remove(id: string): Promise<void> {
    await this.#ask.fetch("DELETE", `${training}/runs/${id}`);
  }

  /** What a run composed for a prompt after a step, as FLAC. */
  async sample(id: string, step: number, index: number): Promise<Blob> {
    const response = await this.#ask.fetch("GET", `${training}/runs/${id}/sample.flac?step=${step}&index=${index}`);
    return response.blob();
  }

  /** Follows a run, from its beginning, until it is over. */
  async *events(id: string, { signal }: { signal?: AbortSignal } = {}): AsyncGenerator<RunEvent> {
    const isLast = ({ event }: Raw) => event === "over" || event === "deleted";
    for await (const raw of this.#ask.events(`${training}/runs/${id}/events`, isLast, signal)) yield shaped(raw);
  }

  async #json<T>(method: string, path: string, body?: object): Promise<T> {
    return (await (await this.#ask.fetch(method, path, body)).json()) as T;
  }
}

// --- internal ---

const training = "/v1/training";

function shaped({ event, data }: Raw): RunEvent {
  const told = JSON.parse(data) as unknown;
  if (event === "numbers") return { type: "numbers", ...(told as { at: number; lines: RunNumbers[] }) };
  if (event === "samples") return { type: "samples", ...(told as RunSamples) };
  if (event === "deleted") return { type: "deleted" };
  return { type: event as "state" | "over", run: told as RunResource };
}
