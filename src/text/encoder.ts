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

export class TextEncoder {
  readonly #sessions: Sessions;

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
   * Hidden states [1, L, d_model], one a token. Each prompt is encoded on its own, so no neighbour changes it.
   * @throws HocketError "bad-request" for a prompt of more than 4096 tokens; "bad-checkpoint" for a token that the
   * encoder does not know
   */
  async encode(prompt: string): Promise<Tensor<"float32">> {
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
    const session = await this.#sessions.get("states", (p) => ({ states: this.#graph(p) }), { rarely: true });
    const { states } = await session.run({
      ids: int64([1, ids.length], ids),
      mask: tensor("float32", [1, 1, 1, ids.length]),
      buckets: relativeBuckets(ids.length, this.config),
    });
    return states as Tensor<"float32">;
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

  #graph(p: Scope) {
    return t5Encoder(p, t5Inputs(), this.config);
  }
}
