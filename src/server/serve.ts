/** @file The server as a whole: its data claimed, its jobs taken up again, its port open; and all of that let go of. */

import type { AddressInfo } from "node:net";
import { availableParallelism, homedir } from "node:os";
import { createAdaptorServer } from "@hono/node-server";
import { HocketError } from "../errors.js";
import { createApp } from "./app.js";
import { type CrewOptions, OwnCrew } from "./crew.js";
import { Desk } from "./desk.js";
import { Engine } from "./engine.js";
import { isLoopback } from "./guard.js";
import type { Place } from "./jobs.js";
import { machineMemory } from "./machine-memory.js";
import { Metrics } from "./metrics.js";
import { Models } from "./models.js";
import { Pages } from "./pages.js";
import { Pulls } from "./pulls.js";
import { RedisCrew } from "./redis-crew.js";
import type { Storage } from "./s3.js";
import { claim, Shelf } from "./shelf.js";
import { Store } from "./store.js";
import { Folders } from "./train-folders.js";
import { MusicShelf } from "./train-music.js";
import { Runs } from "./train-runs.js";
import { musicIn, trainedIn } from "./train-trained.js";
import { type Limits, usualLimits } from "./wire.js";

export interface ServeOptions {
  /** The address to listen at: this machine only, if not said. */
  readonly host?: string | undefined;
  /** 0 takes any that is free. */
  readonly port: number;
  /** What every request must show; needed where others can reach the server. */
  readonly token?: string | undefined;
  /** The folder for what is kept. */
  readonly data: string;
  /** The first is used where a request names none. */
  readonly models: readonly Place[];
  /** Whether the first model is loaded at once, so that the first order does not wait for it. */
  readonly ready?: boolean | undefined;
  /** To compute with; one a core if not said. */
  readonly threads?: number | undefined;
  /** The address of a Redis that workers take jobs from; composed by this machine if not said. */
  readonly queue?: string | undefined;
  /** Where sounds go that workers have made, if `data` is no folder that they see too; needs a queue. */
  readonly storage?: Storage | undefined;
  /** Folders that may be learnt from, with what lies in them; only where nobody else can reach the server: your own, if not said. */
  readonly music?: readonly string[] | undefined;
  /** The file that is `hocket`: what learns is a process of it. */
  readonly program?: string | undefined;
  /** The folder of the built studio. */
  readonly studio?: string | undefined;
  readonly limits?: Partial<Limits> | undefined;
  /** Name and version, as "hocket 0.1.0". */
  readonly software: string;
  /** Takes a line for whoever runs the server. */
  readonly log: (line: string) => void;
}

export interface RunningServer {
  readonly url: string;
  readonly port: number;
  /** Of the process that computes, once there is one. */
  readonly enginePid: () => number | undefined;
  /** Finishes what can be finished within so many milliseconds; the rest is done after the next start. */
  close(milliseconds: number): Promise<void>;
}

/** @throws HocketError "bad-request" for what cannot be served as asked, "disk" */
export async function startServer(options: ServeOptions): Promise<RunningServer> {
  const { host = "127.0.0.1", port, token, data, threads, log, software } = options;
  if (!isLoopback(host) && token === undefined)
    throw new HocketError(
      "bad-request",
      `at ${host} others can reach the server: give it a --token (or HOCKET_TOKEN) that they must know`,
    );
  if (token !== undefined && !/^[\x21-\x7e]{8,200}$/.test(token))
    throw new HocketError("bad-request", "a token has 8 to 200 characters, letters, digits and signs, without spaces");
  if (options.storage !== undefined && options.queue === undefined)
    throw new HocketError("bad-request", "--storage is for workers on other machines: name their --queue too");
  const limits = { ...usualLimits, ...options.limits };
  const folders = await Folders.open(options.music ?? (isLoopback(host) ? [homedir()] : []));
  const release = await claim(data);
  let store: Store | undefined;
  try {
    store = new Store(data);
    const models = new Models(options.models, () => trainedIn(data));
    const metrics = new Metrics();
    metrics.set("process_start_time_seconds", Math.round(Date.now() / 1000));
    const desk = new Desk({ store, shelf: new Shelf(data, options.storage), models, limits, software, log, metrics });
    const pulls = new Pulls();
    const engine = new Engine({ threads, log });
    const onEvent: CrewOptions["onEvent"] = (id, event) => desk.hear(id, event);
    const crew =
      options.queue === undefined
        ? new OwnCrew(engine, { together: limits.together, onEvent })
        : await RedisCrew.open({ url: options.queue, storage: options.storage?.name, onEvent, log });
    const pages = await Pages.open(options.studio);
    const music = await MusicShelf.open({ data: musicIn(data), folders, threads: threads ?? availableParallelism() });
    const runs = await Runs.open({ data, music, models, program: options.program, threads, log });
    const app = createApp({
      desk,
      engine,
      metrics,
      pulls,
      training: { folders, music, runs },
      token,
      pages,
      memory: options.queue === undefined ? () => machineMemory(engine.pid) : undefined,
    });
    const server = createAdaptorServer({ fetch: app.fetch });
    await listen(server, port, host);
    const address = server.address() as AddressInfo;
    if (options.ready === true && options.queue === undefined) engine.prepare(options.models[0]!);
    await desk.open(crew);
    return {
      url: `http://${host.includes(":") ? `[${host}]` : host}:${address.port}`,
      port: address.port,
      enginePid: () => engine.pid,
      async close(milliseconds) {
        const closed = new Promise((resolve) => server.close(resolve));
        pulls.stopAll();
        await Promise.all([desk.close(milliseconds), runs.close(milliseconds), music.close()]);
        await engine.close();
        if ("closeAllConnections" in server) server.closeAllConnections();
        await closed;
        store!.close();
        await release();
      },
    };
  } catch (error) {
    store?.close();
    await release();
    throw error;
  }
}

// --- internal ---

function listen(server: ReturnType<typeof createAdaptorServer>, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const why = reasons[error.code ?? ""] ?? error.message;
      reject(new HocketError("bad-request", `${host} port ${port} cannot be listened at: ${why}`, { cause: error }));
    });
    server.listen(port, host, () => resolve());
  });
}

const reasons: Record<string, string> = {
  EADDRINUSE: "another program does; give another --port",
  EACCES: "you may not; give a --port above 1023",
  EADDRNOTAVAIL: "this machine has no such address",
  ENOTFOUND: "there is no such address",
};
