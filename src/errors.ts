/** @file The one family of errors that people meet: what went wrong, where, and what to do about it. */

/** What kind of thing went wrong. The command line and the server translate a code once, in one place. */
export const errorCodes = {
  "bad-request": "what was asked for cannot be done as asked",
  "bad-file": "a file that was named is missing, unreadable or damaged",
  "bad-checkpoint": "a model's files do not fit together",
  unsupported: "this is known and not implemented",
  network: "something had to be fetched and could not be",
  disk: "something could not be written",
  internal: "a fault of ours",
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** An error meant to be read by the person who ran into it. `message` is one line: what, where, what to do. */
export class HocketError extends Error {
  override readonly name = "HocketError";
  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** For what cannot happen unless we made a mistake. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new HocketError("internal", message);
}
