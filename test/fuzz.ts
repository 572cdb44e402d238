/**
 * @file For tests: requests made at random from an OpenAPI document, most of them nearly right, and what every answer must
 * be. The same seed makes the same requests.
 */

import assert from "node:assert/strict";
import { uniform } from "../src/lm/random.js";
import { FolderList, MusicList, RunList } from "../src/server/train-wire.js";
import { Generation, GenerationList, Health, ProblemBody } from "../src/server/wire.js";
import { ModelList } from "../src/server/wire-models.js";

type Json = Readonly<Record<string, unknown>>;

interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required?: boolean;
  readonly schema: Json;
}

interface Described {
  readonly operationId: string;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Json }>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
}

export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Json>> };
}

/** @returns how many answers had each status */
export async function fuzz(
  url: string,
  { count, seed, together }: { count: number; seed: number; together: number },
): Promise<Record<number, number>> {
  const document = (await (await fetch(`${url}/v1/openapi.json`)).json()) as Document;
  const seen: Record<number, number> = {};
  const ids: string[] = [];
  let next = 0;
  const work = async () => {
    while (next < count) {
      const made = new Making(document, seed, next++, ids).request();
      const status = await answered(url, made, ids);
      seen[status] = (seen[status] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: together }, work));
  assert.equal((await fetch(`${url}/health`)).status, 200);
  return seen;
}

// --- internal ---

interface Made {
  readonly described: Described;
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string | Uint8Array | FormData | undefined;
}

const nasty: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1e308,
  2 ** 53,
  "",
  " ",
  "../../etc/passwd",
  "\u0000",
  "\ud800",
  "'; DROP TABLE generation; --",
  "<script>",
  "%s%n",
  "a".repeat(5000),
  [],
  {},
  [[[[]]]],
  { __proto__: null, toString: 1 },
];

class Making {
  #draws = 0;

  constructor(
    readonly document: Document,
    readonly seed: number,
    readonly index: number,
    /** Of generations that were made. */
    readonly ids: readonly string[],
  ) {}

  request(): Made {
    const all = Object.entries(this.document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, described]) => ({ path, method, described })),
    );
    const { path, method, described } = this.#one(all);
    const query = new URLSearchParams();
    const headers: Record<string, string> = {};
    let filled = path;
    for (const { name, in: where, required, schema } of described.parameters) {
      if (where === "path") filled = filled.replace(`{${name}}`, encodeURIComponent(this.#id()));
      else if (required === true || this.#chance(0.4)) {
        const drawn = this.#value(schema, 0);
        const value = typeof drawn === "string" ? drawn : JSON.stringify(drawn);
        if (where === "query") query.append(name, value);
        else headers[name] = value.replace(/[^\x20-\x7e]/g, "?").slice(0, 200);
      }
    }
    if (headers.Prefer !== undefined) headers.Prefer = this.#one(["wait=1", "wait", "wait=x", "respond-async"]);
    const other = this.#chance(0.03) ? this.#one(["PUT", "PATCH", "DELETE", "OPTIONS"]) : method.toUpperCase();
    const meant = this.document.paths[path]![other.toLowerCase()] ?? described;
    const asked = { described: meant, method: other, path: `${filled}${query.size === 0 ? "" : `?${query}`}`, headers };
    return { ...asked, body: other === "GET" || other === "HEAD" ? undefined : this.#body(described, headers) };
  }

  #body({ operationId, requestBody }: Described, headers: Record<string, string>): Made["body"] {
    if (requestBody === undefined || this.#chance(0.03)) return undefined;
    const [type, { schema }] = this.#one(Object.entries(requestBody.content));
    if (type === "application/octet-stream") {
      headers["content-type"] = type;
      return Uint8Array.from({ length: Math.floor(200 * this.#random()) }, () => Math.floor(256 * this.#random()));
    }
    let value = operationId === "pull" ? this.#one(nasty) : this.#value(schema, 0); // nothing is to be fetched
    // What is right is made short, so that thousands are made in minutes.
    if (operationId === "create" && this.#chance(0.95) && isObject(value)) {
      const { melody: _, continue: __, model: ___, parent: ____, ...rest } = value;
      value = { ...rest, duration: 0.02 + 0.1 * this.#random(), variations: 1, prompt: "x", seed: 1, stride: 4 };
      if (this.#chance(0.7)) value = { prompt: "x", duration: 0.1, title: "fuzz" };
    }
    if (type === "application/json") {
      headers["content-type"] = type;
      const text = JSON.stringify(value) ?? "";
      return this.#chance(0.03) ? text.slice(0, -1) : text;
    }
    const form = new FormData();
    for (const [name, field] of Object.entries(isObject(value) ? value : {}))
      for (const each of Array.isArray(field) ? field : [field])
        form.append(name, typeof each === "object" ? JSON.stringify(each) : `${each}`);
    if (this.#chance(0.3))
      form.append(this.#one(["melody", "continue", "audio", "x"]), new Blob(["RIFF nonsense"]), "a.wav");
    return form;
  }

  /** One that the schema describes; a part of it may be something else. */
  #value(schema: Json, depth: number): unknown {
    if (this.#chance(depth === 0 ? 0.03 : 0.1)) return this.#one(nasty);
    if (typeof schema.$ref === "string") {
      const name = schema.$ref.split("/").at(-1)!;
      return this.#value(this.document.components.schemas[name]!, depth);
    }
    if (Array.isArray(schema.anyOf)) return this.#value(this.#one(schema.anyOf), depth);
    if (Array.isArray(schema.enum)) return this.#one(schema.enum);
    switch (schema.type) {
      case "integer":
      case "number": {
        const least = (schema.minimum ?? schema.exclusiveMinimum ?? -10) as number;
        const most = Math.min((schema.maximum ?? 1000) as number, least + 1000);
        const drawn = least + (most - least) * this.#random();
        return schema.type === "integer" ? Math.floor(drawn) : drawn;
      }
      case "boolean":
        return this.#chance(0.5);
      case "array":
        return Array.from({ length: Math.floor(3 * this.#random()) }, () =>
          this.#value(schema.items as Json, depth + 1),
        );
      case "object": {
        const { properties = {}, required = [] } = schema as { properties?: Record<string, Json>; required?: string[] };
        const chosen = Object.entries(properties).filter(([name]) => required.includes(name) || this.#chance(0.2));
        return Object.fromEntries(chosen.map(([name, each]) => [name, this.#value(each, depth + 1)]));
      }
      default:
        return `${schema.pattern ?? ""}`.includes("0-9a-f")
          ? this.#id()
          : this.#one(["0", "1", "7", "true", "x", "piano"]);
    }
  }

  #id(): string {
    if (this.ids.length > 0 && this.#chance(0.8)) return this.#one(this.ids);
    return this.#one(["0".repeat(32), "x", "..", "%2e", "a".repeat(300)]);
  }

  #one<T>(all: readonly T[]): T {
    return all[Math.floor(all.length * this.#random())]!;
  }

  #chance(odds: number): boolean {
    return this.#random() < odds;
  }

  #random(): number {
    return uniform(this.seed, this.index, this.#draws++);
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const shapes: Record<string, { parse(value: unknown): unknown }> = {
  create: Generation,
  get: Generation,
  patch: Generation,
  cancel: Generation,
  list: GenerationList,
  models: ModelList,
  folders: FolderList,
  musics: MusicList,
  runs: RunList,
  health: Health,
};

/** Milliseconds until an answer must be whole. */
const patience = 60_000;

async function answered(url: string, { described, method, path, headers, body }: Made, ids: string[]): Promise<number> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: body as FormData }),
    signal: AbortSignal.timeout(patience),
  });
  const { status } = response;
  const bytes = await response.arrayBuffer().catch((error: Error) => {
    if (error.name === "TimeoutError") throw error;
    return new ArrayBuffer(0); // a sound that will not be there is cut
  });
  const what = `${method} ${path} ${typeof body === "string" ? body.slice(0, 500) : ""} gave ${status}`;
  const text = status < 300 && !isJson(response) ? "" : new TextDecoder().decode(bytes);
  assert.ok(status < 500, `${what}: ${text}`);
  if (status >= 400) {
    assert.equal(response.headers.get("content-type"), "application/problem+json", what);
    assert.equal(ProblemBody.parse(JSON.parse(text)).status, status, what);
  }
  // A path or a method of its own may lead elsewhere.
  const known = new Set([...Object.keys(described.responses), "404", "405"]);
  assert.ok(known.has(`${status}`), `${what}, which the document does not say`);
  if (status < 300 && isJson(response) && method !== "DELETE") {
    const made = shapes[described.operationId]?.parse(JSON.parse(text)) as { id?: string } | undefined;
    if (described.operationId === "create" && made?.id !== undefined && ids.length < 200) ids.push(made.id);
  }
  return status;
}

const isJson = (response: Response) => response.headers.get("content-type") === "application/json";
