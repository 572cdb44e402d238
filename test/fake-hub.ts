/** @file A model hub on this machine, for tests: answers as huggingface.co does, and misbehaves when asked to. */

import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

export const ID = "owner/tiny";
export const COMMIT = "0123456789abcdef0123456789abcdef01234567";

export const gitId = (bytes: Buffer) => createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
export const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

export const weights = Buffer.from(Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * 7919) >> 5));
export const model: Record<string, Buffer> = {
  "README.md": Buffer.from("---\nlicense: cc-by-nc-4.0\ntags:\n- music\n---\n# Tiny\n"),
  "config.json": Buffer.from('{"model_type":"musicgen"}'),
  "model.safetensors": weights,
  "flax_model.msgpack": Buffer.from("not for us"),
  "spiece.model": Buffer.alloc(0),
};

export interface Behaviour {
  files?: Record<string, Buffer>;
  /** Connections to cut after so many bytes of weights. */
  cuts?: number[];
  ranges?: boolean;
  served?: (bytes: Buffer) => Buffer;
  intercept?: (request: IncomingMessage, response: ServerResponse) => boolean;
}

export interface Hub {
  environment: Record<string, string>;
  cache: string;
  folder: string;
  /** "GET /path", "cdn GET /path" */
  log: string[];
  headers: IncomingMessage["headers"][];
  /** Bytes of weights that left the server. */
  sent: () => number;
  behave: (next: Behaviour) => void;
}

/** Large files are redirected to a second server, as to a content delivery network. */
export async function startHub(start: Behaviour = {}): Promise<Hub> {
  let now = start;
  let sent = 0;
  const log: string[] = [];
  const headers: Hub["headers"] = [];
  const files = () => now.files ?? model;
  const isLarge = (name: string) => name.endsWith(".safetensors");

  const cdn = await listen((request, response) => {
    log.push(`cdn ${request.method} ${request.url}`);
    headers.push(request.headers);
    const bytes = (now.served ?? ((b) => b))(files()[request.url!.slice(1)]!);
    const range = now.ranges === false ? undefined : /^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1];
    const from = Number(range ?? 0);
    if (from >= bytes.length && range) return response.writeHead(416).end();
    response.writeHead(range ? 206 : 200, { "content-length": bytes.length - from });
    const cut = now.cuts?.shift();
    const piece = bytes.subarray(from, cut && from + cut);
    sent += piece.length;
    response.write(piece, () => (cut ? response.destroy() : response.end()));
  });
  const hub = await listen((request, response) => {
    log.push(`${request.method} ${request.url}`);
    headers.push(request.headers);
    if (now.intercept?.(request, response)) return;
    const [, name] = new RegExp(`^/${ID}/resolve/${COMMIT}/(.*)$`).exec(request.url!) ?? [];
    if (request.url === `/api/models/${ID}/revision/main`)
      return response.end(
        JSON.stringify({ sha: COMMIT, siblings: Object.keys(files()).map((rfilename) => ({ rfilename })) }),
      );
    if (name === undefined || !files()[name]) return response.writeHead(404).end();
    const bytes = files()[name]!;
    if (!isLarge(name)) {
      response.writeHead(200, { "x-repo-commit": COMMIT, etag: `"${gitId(bytes)}"`, "content-length": bytes.length });
      return response.end(request.method === "HEAD" ? undefined : bytes);
    }
    response.writeHead(302, {
      "x-repo-commit": COMMIT,
      "x-linked-etag": `"${sha256(bytes)}"`,
      "x-linked-size": bytes.length,
      location: `${cdn}/${name}`,
    });
    response.end("Found");
  });
  const home = mkdtempSync(join(tmpdir(), "hocket-hub-"));
  homes.push(home);
  const cache = join(home, "hub");
  return {
    environment: { HF_HOME: home, HF_ENDPOINT: hub, HF_TOKEN: "secret" },
    cache,
    folder: join(cache, "models--owner--tiny"),
    log,
    headers,
    sent: () => sent,
    behave: (next) => {
      now = next;
    },
  };
}

const servers: Server[] = [];
const homes: string[] = [];
after(() => {
  for (const server of servers) server.close().closeAllConnections();
  for (const home of homes) rmSync(home, { recursive: true });
});

async function listen(answer: (request: IncomingMessage, response: ServerResponse) => unknown): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
