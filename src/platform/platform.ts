/**
 * @file What the rest of Hocket asks of the machine it runs on: bytes from somewhere, and a runtime that executes ONNX
 * graphs without blocking the caller. Each platform answers with the same interfaces (`#platform` picks it).
 */

import type { DType, Tensor } from "../tensor.js";

// --- bytes ---

/** A file that can be read in pieces, so that a 13 GB checkpoint costs only what is used of it. */
export interface ByteSource {
  /** For messages, and for a runtime that reads the file itself: a path on Node, an address in a browser. */
  readonly location: string;
  readonly size: number;
  /** Exactly `length` bytes from `offset`; past the end is an error. */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** A flat folder of files, as a model on disk or on the hub. */
export interface Folder {
  /** For messages. */
  readonly location: string;
  /** Names of the files in it. */
  list(): Promise<string[]>;
  /** The file, or undefined where there is none of that name. */
  open(name: string): Promise<ByteSource | undefined>;
}

// --- computing ---

/** What graphs can run on: the machine's processor, or one of the runtime's providers for GPUs. */
export type Device = "cpu" | "webgpu" | "cuda" | "coreml" | "dml";

export interface RuntimeOptions {
  /** Without: the processor. Whether it is there shows when the first graph is compiled. */
  readonly device?: Device | undefined;
}

export type Tensors = Readonly<Record<string, Tensor>>;

/** Where the numbers of an initialiser come from: a piece of a file (read in place), or memory. */
export type WeightData = { location: string; offset: number; length: number } | Uint8Array;

export interface SessionOptions {
  /** Threads inside one operator; 0 lets the runtime choose. */
  readonly threads?: number;
  /**
   * The graph will run once or twice: its matrices are used as they lie in the file, not rearranged for speed first.
   * T5-base then answers its first prompt three times sooner and holds 326 MiB less; later prompts take 1.4 times as long.
   */
  readonly rarely?: boolean;
}

/**
 * An output that is written into memory of its own, at every run the same. With an `input`, the run reads that memory by
 * this name before (and the graph must see to it that nothing else reads what is overwritten); without, the caller gets a
 * copy.
 */
export interface Kept {
  readonly output: string;
  readonly input?: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/**
 * Tensors that stay beside a session, in its thread or on its device, from run to run: those that never change
 * (`held`) and those that are written over (`kept`, zeros at first).
 */
export interface State {
  dispose(): Promise<void>;
}

/**
 * A tensor that stays where it was computed, in the thread or on the device, for later runs of any session there: what
 * training carries from step to step. Whoever has it lets it go (`Runtime.release`); its memory is then written anew.
 */
export interface Resident {
  readonly resident: true;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** What a run is fed: numbers, or what is there already. */
export type Fed = Readonly<Record<string, Tensor | Resident>>;

/** An output that is asked for, and whether it stays where it is computed. */
export interface Wanted {
  readonly output: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly stays: boolean;
}

/** A compiled graph. */
export interface Session {
  /**
   * Runs the graph. Inputs that `state` provides are left out of `inputs`. With a state that keeps outputs, the others
   * are not computed, and those that are not also inputs are returned.
   */
  run(inputs: Fed, state?: State): Promise<Tensors>;
  /** Runs the graph for these outputs. Of those that stay, the caller gets where they are. */
  leave(inputs: Fed, wanted: readonly Wanted[]): Promise<Fed>;
  open(held: Tensors, kept: readonly Kept[]): Promise<State>;
  dispose(): Promise<void>;
}

/** Executes ONNX graphs, away from the caller's thread. */
export interface Runtime {
  readonly device: Device;
  /** How an ONNX file must spell a `ByteSource.location` so that this runtime finds the weights in it. */
  external(location: string): string;
  createSession(model: Uint8Array, options?: SessionOptions): Promise<Session>;
  /** A copy of a tensor, there. */
  place(tensor: Tensor): Promise<Resident>;
  /** What is there, as numbers. */
  read(resident: Resident): Promise<Tensor>;
  release(residents: readonly Resident[]): Promise<void>;
  /**
   * Another, always the same, whose sessions compute while those of this one do: on the processor, whatever this one's
   * device. It ends with this one.
   */
  beside(): Runtime;
  dispose(): Promise<void>;
}
