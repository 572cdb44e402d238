/** @file What the server and the process that computes say to each other. */

import type { Clips } from "../data/tokenize.js";
import type { ErrorCode } from "../errors.js";
import type { Job, JobEvent, Place } from "./jobs.js";

export type ToEngine =
  | { readonly do: "compose"; readonly batch: number; readonly jobs: readonly Job[] }
  | { readonly do: "cancel"; readonly id: string }
  /** Loads it before it is asked for. */
  | { readonly do: "prepare"; readonly model: Place }
  /** The file is one that `writeSound` wrote. */
  | {
      readonly do: "encode";
      readonly call: number;
      readonly model: Place;
      readonly path: string;
      readonly bandwidth: number | undefined;
      readonly software: string;
    }
  /** Codes as a file; the sound is written to `path`. */
  | {
      readonly do: "decode";
      readonly call: number;
      readonly model: Place;
      readonly codes: Uint8Array;
      readonly path: string;
      readonly frames: number;
    }
  /** What tokens of its codec are known by, as text; nothing, where it makes none to learn from. */
  | { readonly do: "token key"; readonly call: number; readonly model: Place }
  /** [B][channels][N] as [B] grids, serialized. */
  | { readonly do: "tokens"; readonly call: number; readonly model: Place; readonly clips: Clips }
  | { readonly do: "end" };

export type FromEngine =
  | { readonly id: string; readonly event: JobEvent }
  | { readonly over: number }
  | { readonly call: number; readonly result: Uint8Array | undefined }
  | { readonly call: number; readonly failed: { readonly code: ErrorCode; readonly message: string } };
