/** @file What the process that listens says to the server. */

export type Heard =
  | {
      readonly type: "file";
      readonly path: string;
      readonly done: number;
      readonly files: number;
      /** Why it was left out. */
      readonly skipped?: string;
      /** What is wrong with the words in and beside it. */
      readonly notes: readonly string[];
    }
  | {
      readonly type: "scanned";
      readonly recordings: number;
      readonly seconds: number;
      readonly described: number;
      readonly heldOut: number;
      /** A few descriptions. */
      readonly words: readonly string[];
    }
  | { readonly type: "encoded"; readonly done: number; readonly recordings: number };
