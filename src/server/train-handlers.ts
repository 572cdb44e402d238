/** @file What the operations about learning do: the request read, folders and runs asked, the answer shaped. */

import { stat } from "node:fs/promises";
import { readJson } from "./bodies.js";
import { eventStream } from "./follow.js";
import type { Asked, Handler } from "./handlers.js";
import { Problem } from "./problems.js";
import { fileBytes } from "./shelf.js";
import { streamOf } from "./stream.js";
import { logFile, sampleFile } from "./train-diary.js";
import type { Folders } from "./train-folders.js";
import { followRun } from "./train-follow.js";
import type { MusicShelf } from "./train-music.js";
import { type trainOperations, trainQueries } from "./train-operations.js";
import type { Runs } from "./train-runs.js";
import { MusicInput, RunInput } from "./train-wire.js";

export interface Training {
  readonly folders: Folders;
  readonly music: MusicShelf;
  readonly runs: Runs;
}

/** @param stopping whether the server is */
export function trainHandlers(
  { folders, music, runs }: Training,
  stopping: () => boolean,
): Record<keyof typeof trainOperations, Handler> {
  const begin = () => {
    if (stopping()) throw new Problem("stopping", "the server is stopping");
    folders.check();
  };
  return {
    folders: async ({ query }) => json(await folders.list(Problem.parse(trainQueries.folders, query).folder)),
    async listen({ request }) {
      begin();
      const { folder } = Problem.parse(MusicInput, await readJson(request));
      try {
        return json(await music.listen(folder, runs.needed()), 202);
      } catch (error) {
        if (!(error instanceof Problem) || error.kind !== "not-found") throw error;
        throw Problem.invalid([["folder", error.detail]]);
      }
    },
    musics: () => json({ data: music.list() }),
    music: ({ id }) => json(music.get(id)),
    async removeMusic({ id }) {
      music.get(id);
      if (runs.needed().has(id)) throw new Problem("in-use", "a run learns from it: delete the run first");
      await music.remove(id);
      return nothing();
    },

    async train({ request }) {
      begin();
      const run = await runs.create(Problem.parse(RunInput, await readJson(request)));
      return json(run, 201, { location: run.urls.self });
    },
    runs: async () => json({ data: await runs.list() }),
    run: async ({ id }) => json(await runs.shown(id)),
    async removeRun({ id }) {
      await runs.remove(id);
      return nothing();
    },
    stopRun: async ({ id }) => json(await runs.stop(id)),
    async resumeRun({ id }) {
      runs.record(id);
      begin();
      return json(await runs.resume(id));
    },

    async runEvents({ id, ...reader }) {
      runs.record(id);
      const { request } = reader;
      const from = request.headers.get("last-event-id") ?? undefined;
      const stream = (signal: AbortSignal) => eventStream(followRun(runs, id, from, signal), signal);
      return new Response(request.method === "HEAD" ? null : await streamOf(stream, reader), {
        headers: { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" },
      });
    },
    async runLog({ id, ...reader }) {
      runs.record(id);
      return file(logFile(runs.folder(id)), "application/x-ndjson", "no-store", reader);
    },
    async runSample({ id, query, ...reader }) {
      runs.record(id);
      const { step, index } = Problem.parse(trainQueries.runSample, query);
      const path = await sampleFile(runs.folder(id), step, index);
      if (path === undefined)
        throw new Problem("not-found", `nothing was composed for prompt ${index} after step ${step}`);
      return file(path, "audio/flac", "private, max-age=3600", reader);
    },
  };
}

// --- internal ---

const nothing = () => new Response(null, { status: 204 });

function json(body: object, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json", "cache-control": "no-store", ...headers },
  });
}

/** As long as it is when it is asked for; one that is not there yet is empty. */
async function file(
  path: string,
  type: string,
  keep: string,
  reader: Pick<Asked, "request" | "cut">,
): Promise<Response> {
  const { size } = (await stat(path).catch(() => undefined)) ?? { size: 0 };
  const headers = { "content-type": type, "cache-control": keep, "content-length": `${size}` };
  if (reader.request.method === "HEAD" || size === 0) return new Response(null, { headers });
  return new Response(await streamOf(() => fileBytes(path, 0, size), reader), { headers });
}
