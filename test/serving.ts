/** @file For tests: a real server with the small model, at a port of its own, with data in a fresh folder. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { software } from "../src/cli/software.js";
import { HocketClient } from "../src/server/client.js";
import { type RunningServer, type ServeOptions, startServer } from "../src/server/serve.js";
import { repositoryFile } from "./golden.js";

export const mini = { name: "mini-reference", path: repositoryFile("models/mini-reference") };

export interface Serving {
  readonly server: RunningServer;
  readonly url: string;
  readonly client: HocketClient;
  readonly logged: string[];
  /** Asks for `path`; a body that is no string is sent as JSON. */
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
}

/** A folder that is removed when the tests of this file are done. */
export function dataFolder(): string {
  const path = mkdtempSync(join(tmpdir(), "hocket-data-"));
  after(() => rmSync(path, { recursive: true, force: true, maxRetries: 5 }));
  return path;
}

/** It is closed when the tests of this file are done. */
export async function serving(options: Partial<ServeOptions> = {}): Promise<Serving> {
  const logged: string[] = [];
  const server = await startServer({
    port: 0,
    data: dataFolder(),
    models: [mini],
    threads: 1,
    music: [],
    program: repositoryFile("dist/src/cli/main.js"),
    software,
    log: (line) => logged.push(line),
    ...options,
  });
  let closed: Promise<void> | undefined;
  const once = { ...server, close: (milliseconds: number) => (closed ??= server.close(milliseconds)) };
  after(() => once.close(0));
  const token = options.token === undefined ? {} : { token: options.token };
  return {
    server: once,
    url: server.url,
    client: new HocketClient({ url: server.url, ...token }),
    logged,
    ask: (method, path, body, headers = {}) =>
      fetch(`${server.url}${path}`, {
        method,
        headers: {
          ...(body === undefined || typeof body === "string" ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      }),
  };
}
