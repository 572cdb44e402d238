/** @file What each operation does: the request read, the desk asked, the answer shaped. No music is made here. */

import { codesResponse, soundResponse } from "./audio.js";
import { readJson } from "./bodies.js";
import { decodeResponse, encodeResponse } from "./codec.js";
import { type Desk, isOver } from "./desk.js";
import type { Engine } from "./engine.js";
import { end, eventStream, follow, looks } from "./follow.js";
import { noSessionCookie, sessionCookie } from "./guard.js";
import { fits, type MachineMemory } from "./machine-memory.js";
import type { Metrics } from "./metrics.js";
import { offers } from "./offers.js";
import { openapi } from "./openapi.js";
import { type OperationId, queries } from "./operations.js";
import { takeOrder } from "./orders.js";
import { Problem } from "./problems.js";
import type { Pulls } from "./pulls.js";
import { resource } from "./resource.js";
import type { Row } from "./store.js";
import { type Reader, streamOf } from "./stream.js";
import { type Training, trainHandlers } from "./train-handlers.js";
import { type Generation, GenerationPatch, idPattern } from "./wire.js";
import { type ModelList, PullInput } from "./wire-models.js";

export interface Context {
  readonly desk: Desk;
  /** For what is not a generation. */
  readonly engine: Engine;
  readonly metrics: Metrics;
  readonly pulls: Pulls;
  readonly training: Training;
  readonly token: string | undefined;
  /** Of this machine, if it is the one that composes. */
  readonly memory: (() => MachineMemory) | undefined;
}

/** A request, taken apart. */
export interface Asked extends Reader {
  readonly query: Readonly<Record<string, string>>;
  /** From the path. */
  readonly id: string;
  /** Who asks, for taking turns. */
  readonly client: string;
}

export type Handler = (asked: Asked) => Response | Promise<Response>;

export function handlersFor(context: Context): Record<OperationId, Handler> {
  const { desk, metrics, token } = context;
  const { limits, models, software, store } = desk.options;
  const [, version = ""] = software.split(" ");
  const document = openapi(limits, version);
  const row = (id: string): Row => {
    if (!idPattern.test(id)) throw new Problem("not-found", "there is no such generation");
    return desk.get(id);
  };
  /** A generation may be deleted while its files are read. */
  const whileThere = async (id: string, work: () => Promise<Response>) => {
    try {
      return await work();
    } catch (error) {
      row(id);
      throw error;
    }
  };
  const shown = (row: Row): Generation => resource(desk, row);
  const sound =
    (format: "wav" | "mp3" | "flac"): Handler =>
    ({ query, id, ...reader }) =>
      whileThere(id, () => soundResponse(desk, row(id), format, Problem.parse(queries.sound, query), reader));

  return {
    async create({ request, client }) {
      const wait = preferredWait(request);
      const { row: ordered, again } = await takeOrder(desk, request, client);
      const now = wait === undefined ? ordered : await awaited(desk, ordered, wait, request.signal);
      const applied: Record<string, string> = wait === undefined ? {} : { "preference-applied": `wait=${wait}` };
      return json(shown(now), again ? 200 : 201, { location: `/v1/generations/${now.id}`, ...applied });
    },

    list({ query }) {
      const { limit, cursor, q, ...filter } = Problem.parse(queries.list, query);
      const rows = store.list({ ...filter, limit: limit + 1, before: cursor, words: q });
      const page = rows.slice(0, limit);
      return json({ data: page.map(shown), next_cursor: rows.length > limit ? `${page.at(-1)!.seq}` : null });
    },

    get: ({ id }) => json(shown(row(id))),

    async patch({ request, id }) {
      row(id);
      const change = Problem.parse(GenerationPatch, await readJson(request));
      const changed = store.patch(id, change) ?? row(id);
      desk.bell.ring(id);
      return json(shown(changed));
    },

    async remove({ id }) {
      await desk.remove(row(id).id);
      return new Response(null, { status: 204 });
    },

    cancel: async ({ id }) => json(shown(await desk.cancel(row(id).id))),

    async events({ query, id, ...reader }) {
      const { request } = reader;
      const { include } = Problem.parse(queries.events, query);
      const { id: known } = row(id);
      const from = request.headers.get("last-event-id") ?? undefined;
      if (from === end) return new Response(null, { status: 204 });
      const wants = new Set(include.split(","));
      const wanted = { progress: wants.has("progress"), codes: wants.has("codes"), audio: wants.has("audio") };
      const stream = (signal: AbortSignal) => eventStream(follow(desk, known, from, wanted, signal), signal);
      return new Response(request.method === "HEAD" ? null : await streamOf(stream, reader), {
        headers: { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" },
      });
    },

    wav: sound("wav"),
    mp3: sound("mp3"),
    flac: sound("flac"),
    codes: ({ id, ...reader }) => whileThere(id, () => codesResponse(desk, row(id), reader)),

    async models() {
      const memory = context.memory?.();
      const data = (await models.list()).map((each) => models.resource(each, memory));
      const here = new Set(data.map(({ name }) => name));
      return json({
        data,
        pulls: context.pulls.list(),
        offers: offers()
          .filter(({ name }) => !here.has(name))
          .map((offer) => ({ ...offer, fits: memory === undefined ? null : fits(offer.memory, memory) })),
        memory: memory ?? null,
      } satisfies ModelList);
    },
    async pull({ request }) {
      const { name } = Problem.parse(PullInput, await readJson(request));
      if (desk.stopping) throw new Problem("stopping", "the server is stopping");
      return json(context.pulls.start(name), 202);
    },
    async removeModel({ query }) {
      const { name } = Problem.parse(queries.removeModel, query);
      if (!context.pulls.stop(name)) await models.remove(name);
      return new Response(null, { status: 204 });
    },

    encode: ({ request, query }) => encodeResponse(context, request, Problem.parse(queries.encode, query)),
    decode: ({ request, query }) => decodeResponse(context, request, Problem.parse(queries.decode, query)),

    ...trainHandlers(context.training, () => desk.stopping),

    signIn: () => {
      const headers: Record<string, string> = token === undefined ? {} : { "set-cookie": sessionCookie(token) };
      return new Response(null, { status: 204, headers });
    },
    signOut: () => new Response(null, { status: 204, headers: { "set-cookie": noSessionCookie() } }),

    openapi: () => json(document),
    health: () => json({ status: desk.stopping ? "stopping" : "ok", version }, desk.stopping ? 503 : 200),
    metrics: () => {
      for (const [state, count] of Object.entries(store.counts())) metrics.set("hocket_generations", count, { state });
      metrics.set("hocket_generations_waiting", desk.waiting());
      metrics.set("process_resident_memory_bytes", process.memoryUsage.rss());
      return new Response(`${metrics}`, { headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" } });
    },
  };
}

// --- internal ---

function json(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json", "cache-control": "no-store", ...headers },
  });
}

const usualWait = 60;
const longestWait = 600;

/** Seconds, from "Prefer: wait" (RFC 7240). */
function preferredWait(request: Request): number | undefined {
  for (const preference of (request.headers.get("prefer") ?? "").split(",")) {
    const [, seconds] = /^\s*wait\s*(?:=\s*"?(\d{1,6})"?)?\s*(?:;.*)?$/i.exec(preference) ?? [preference];
    if (/^\s*wait\b/i.test(preference)) return Math.min(longestWait, Number(seconds ?? usualWait));
  }
  return undefined;
}

/** The generation when it is over, or as it is after so many seconds, or when nobody waits any more. */
async function awaited(desk: Desk, row: Row, seconds: number, left: AbortSignal): Promise<Row> {
  const signal = AbortSignal.any([left, AbortSignal.timeout(1000 * seconds)]);
  let last = row;
  for await (const look of looks(desk, row.id, signal)) {
    last = look.row ?? last;
    if (isOver(last.state)) break;
  }
  return last;
}
