/** @file What can go wrong, as HTTP says it: a status and a body of RFC 9457, from one table. */

import type { z } from "#zod";
import { problemOf } from "../checked.js";
import { type ErrorCode, HocketError } from "../errors.js";
import type { ProblemBody } from "./wire.js";

/** [status, title] of each kind of problem. */
export const problems = {
  invalid: [400, "The request is not valid"],
  unauthorized: [401, "The token is missing or wrong"],
  forbidden: [403, "Requests of other sites are refused"],
  "not-offered": [403, "This server does not offer that"],
  "not-found": [404, "There is nothing here"],
  "method-not-allowed": [405, "This cannot be done here"],
  "not-finished": [409, "It is not finished"],
  "in-use": [409, "Something needs it"],
  "no-sound": [410, "There will be no sound"],
  "too-large": [413, "The request is too large"],
  "unsupported-media-type": [415, "The body is of a type that is not read here"],
  "range-not-satisfiable": [416, "The range lies outside the sound"],
  misdirected: [421, "The server does not go by this name"],
  unusable: [422, "What was sent cannot be used"],
  "key-reused": [422, "The idempotency key belongs to another request"],
  "too-many": [429, "The queue is full"],
  internal: [500, "A fault of the server"],
  network: [502, "Something could not be fetched"],
  stopping: [503, "The server is stopping"],
  disk: [507, "Something could not be stored"],
} as const satisfies Record<string, readonly [number, string]>;
export type ProblemKind = keyof typeof problems;

const kinds: Record<ErrorCode, ProblemKind> = {
  "bad-request": "invalid",
  "bad-file": "unusable",
  "bad-checkpoint": "internal",
  unsupported: "unusable",
  network: "network",
  disk: "disk",
  internal: "internal",
};

export class Problem extends Error {
  override readonly name = "Problem";
  constructor(
    readonly kind: ProblemKind,
    readonly detail: string,
    readonly more: {
      readonly errors?: readonly (readonly [field: string, detail: string])[];
      readonly headers?: Readonly<Record<string, string>>;
    } = {},
  ) {
    super(detail);
  }

  static invalid(errors: readonly (readonly [field: string, detail: string])[]): Problem {
    const said = errors.map(([field, detail]) => (field === "" ? detail : `${field}: ${detail}`)).join("; ");
    return new Problem("invalid", said, { errors });
  }

  /** Whatever was thrown. What nobody expected tells strangers nothing. */
  static of(error: unknown): Problem {
    if (error instanceof Problem) return error;
    if (error instanceof HocketError) return new Problem(kinds[error.code], error.message);
    return new Problem("internal", "an error that nobody expected; the server's log says more");
  }

  /** The same, said of a field. */
  static about(field: string, error: unknown): Problem {
    const { kind, detail } = Problem.of(error);
    return new Problem(kind, detail, { errors: [[field, detail]] });
  }

  /** @throws Problem naming each field of `value` that is not what `schema` wants */
  static parse<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
    const parsed = schema.safeParse(value, { reportInput: true });
    if (parsed.success) return parsed.data;
    const found = new Map<string, string>(); // of each field the first
    for (const issue of parsed.error.issues) {
      const path = issue.code === "unrecognized_keys" ? [...issue.path, issue.keys[0]!] : issue.path;
      const field = path.map(String).join(".").slice(0, longest);
      if (!found.has(field)) found.set(field, problemOf(issue).replace(/\s+/g, " ").slice(0, longest));
    }
    throw Problem.invalid([...found].slice(0, 16));
  }

  get status(): number {
    return problems[this.kind][0];
  }

  toJSON(): ProblemBody {
    const { kind, detail, more } = this;
    const errors = more.errors?.map(([field, detail]) => ({ field, detail }));
    return {
      type: `urn:hocket:problem:${kind}`,
      title: problems[kind][1],
      status: this.status,
      detail,
      ...(errors === undefined ? {} : { field: errors[0]!.field, errors }),
    };
  }

  toResponse(): Response {
    return new Response(JSON.stringify(this), {
      status: this.status,
      headers: { "content-type": "application/problem+json", "cache-control": "no-store", ...this.more.headers },
    });
  }
}

// --- internal ---

/** In characters: what was sent is repeated up to here. */
const longest = 300;
