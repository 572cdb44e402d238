/** @file What the caller's end and what computes say to each other, and the two numbers that a thread shares. */

import type { ErrorCode } from "../../errors.js";
import type { Tensor } from "../../tensor.js";
import type { Kept, SessionOptions, Tensors, Wanted } from "../platform.js";

/** What a thread or a process that computes can be asked for. Ids name sessions, states and residents, which live there. */
export type Request = { call: number } & (
  | { do: "create"; model: Uint8Array; options: SessionOptions }
  | { do: "open"; held: Tensors; kept: readonly Kept[] }
  | { do: "run"; session: number; inputs: Tensors; residents: Readonly<Record<string, number>>; state?: number }
  | {
      do: "leave";
      session: number;
      inputs: Tensors;
      residents: Readonly<Record<string, number>>;
      wanted: readonly Wanted[];
    }
  | { do: "place"; tensor: Tensor }
  | { do: "read"; id: number }
  | { do: "release"; ids: readonly number[] }
  | { do: "close"; id: number }
  | { do: "find" }
);
/** An error with a code is one for people. */
export type Reply = { call: number; result: unknown } | { call: number; error: string; code?: ErrorCode };

/** A request before it has its number. */
export type Unnumbered = Request extends infer T ? (T extends unknown ? Omit<T, "call"> : never) : never;

/** What a run answers: also its inputs, whose memory goes back to where it came from. */
export interface RunResult {
  readonly outputs: Tensors;
  readonly inputs: Tensors;
  /** Ids of the outputs that stayed. */
  readonly stayed: Readonly<Record<string, number>>;
}

export interface ThreadData {
  /** The folder that the paths of weights start from. */
  readonly root: string;
  readonly shared: Int32Array;
}

/** Places in `shared`: 1 while the thread is inside the native runtime or loads it, and 1 once it shall not enter it again. */
export const busy = 0;
export const stopped = 1;
