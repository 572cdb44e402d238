/** @file What a command is: its words, its options, and what it does with them. */

/** `number` is parsed and must be one; `flag` takes no value. */
export interface Option {
  readonly kind: "text" | "number" | "flag";
  readonly help: string;
  /** What stands for the value in the help. */
  readonly value?: string;
  readonly short?: string;
  /** The only values that it takes. */
  readonly choices?: readonly string[];
  /** It may be given several times. */
  readonly many?: true;
}

export interface Command {
  /** One word, or two: "train codec". */
  readonly name: string;
  readonly summary: string;
  /** The word that it takes besides its options; with `many`, one or more; with `optional`, perhaps none. */
  readonly operand?: { readonly name: string; readonly help: string; readonly many?: true; readonly optional?: true };
  readonly options: Readonly<Record<string, Option>>;
  readonly examples: readonly string[];
  /** Seconds that it may take to end after a Ctrl-C, 2 if not said; a second Ctrl-C ends it at once. */
  readonly patience?: number;
  run(given: Given, signal: AbortSignal): Promise<void>;
}

/** A command line, read. Options that were not given are absent. */
export interface Given {
  /** The first operand; "" for a command that takes none. */
  readonly operand: string;
  readonly operands: readonly string[];
  text(option: string): string | undefined;
  /** Every value of an option that may be given several times. */
  texts(option: string): readonly string[];
  number(option: string): number | undefined;
  flag(option: string): boolean;
}
