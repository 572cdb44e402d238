/** @file Words to meaning: a prompt's tokens through T5. */

import { HocketError } from "../errors.js";
import type { Binder } from "../graph/compile.js";
import { Sessions } from "../graph/sessions.js";
import { Scope } from "../graph/value.js";
import type { Runtime, SessionOptions } from "../platform/platform.js";
import { int64, type Tensor, tensor } from "../tensor.js";
import { relativeBuckets, type T5Config, t5Encoder, t5Inputs } from "./t5.js";
import type { Tokenizer } from "./tokenizer.js";

/** Attention compares every token with every other: at this length it takes a gigabyte or two. */
const maxTokens = 4096;

/** Prompts whose states are kept: a few dozen kilobytes each, 12 MB for the longest. */
const remembered = 8;

export class TextEncoder {
  readonly #sessions: Sessions;
  readonly #known = new Map<string, Promise<Tensor<"float32">>>(); // the latest last

  constructor(
    readonly tokenizer: Tokenizer,
    readonly config: T5Config,
    runtime: Runtime,
    bind: Binder,
    options: SessionOptions = {},
  ) {
    this.#sessions = new Sessions(runtime, bind, options);
  }

  /**
   * Hidden states [1, L, d_model], one a token. Each prompt is encoded on its own, so no neighbour changes it; those of the
   * latest prompts are kept, and shared by whoever asks for them.
   * @throws HocketError "bad-request" for a prompt of more than 4096 tokens; "bad-checkpoint" for a token that the
   * encoder does not know
   */
  encode(prompt: string): Promise<Tensor<"float32">> {
    const states = this.#known.get(prompt) ?? this.#encode(prompt);
    this.#known.delete(prompt);
    this.#known.set(prompt, states);
    states.catch(() => this.#known.get(prompt) === states && this.#known.delete(prompt));
    for (const oldest of this.#known.keys()) if (this.#known.size > remembered) this.#known.delete(oldest);
    return states;
  }

  /** Names every weight, so that a checkpoint can be checked whole before anything is compiled. */
  describe(): Scope {
    const p = new Scope();
    this.#graph(p);
    return p;
  }

  async dispose(): Promise<void> {
    await this.#sessions.dispose();
  }

  async #encode(prompt: string): Promise<Tensor<"float32">> {
    const ids = this.tokenizer.encode(prompt);
    if (ids.length > maxTokens)
      throw new HocketError(
        "bad-request",
        `the prompt has ${ids.length} tokens, and at most ${maxTokens} are read: shorten it`,
      );
    const beyond = ids.find((id) => id >= this.config.vocab_size);
    if (beyond !== undefined)
      throw new HocketError(
        "bad-checkpoint",
        `the tokenizer makes token ${beyond}, and the text encoder knows ${this.config.vocab_size}: they are of different models`,
      );
    const { states } = await this.#sessions.once("states", (p) => ({ states: this.#graph(p) }), {
      ids: int64([1, ids.length], ids),
      mask: tensor("float32", [1, 1, 1, ids.length]),
      buckets: relativeBuckets(ids.length, this.config),
    });
    return states as Tensor<"float32">;
  }

  #graph(p: Scope) {
    return t5Encoder(p, t5Inputs(), this.config);
  }
}
