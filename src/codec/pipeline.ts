/**
 * @file A convolution that needs context and a recurrence that needs the past, run over a clip in pieces with the result
 * of running them over the whole. Both ends of the codec are built of these two.
 */

import type { Session } from "../platform/platform.js";
import { type Tensor, tensor } from "../tensor.js";
import type { CodecConfig } from "./config.js";
import { Frames } from "./frames.js";
import type { Padding } from "./padding.js";

/** One LSTM stack on its way through a clip: `session` maps (x, hidden, cell) to the same. */
export class Recurrent {
  #state: { hidden: Tensor; cell: Tensor } | undefined;

  constructor(
    readonly session: Session,
    readonly layers: number,
    readonly width: number,
  ) {}

  /** The next frames. `x` is whatever the session calls its input, [B, ?, T]. */
  async run(x: Tensor): Promise<Tensor> {
    if (this.layers === 0) return (await this.session.run({ x })).x!;
    const zero = () => tensor("float32", [this.layers, x.shape[0]!, this.width]);
    const result = await this.session.run({ x, ...(this.#state ?? { hidden: zero(), cell: zero() }) });
    this.#state = { hidden: result.hidden!, cell: result.cell! };
    return result.x!;
  }
}

/** Feeds frames to a convolution of stride 1 as soon as those to the right of them, that it looks at, are there. */
export class Convolved {
  readonly #frames = new Frames();
  #done = 0;

  constructor(
    readonly padding: Padding,
    readonly mode: CodecConfig["pad_mode"],
  ) {}

  append(piece: Tensor): void {
    this.#frames.append(piece);
  }

  /** The next padded window, or undefined until more has arrived. `last` says that the clip ends here. */
  next(last: boolean): Tensor | undefined {
    const { left, right } = this.padding;
    const { end } = this.#frames;
    const to = last ? end : end - right;
    // Mirroring at the clip's start looks that far to the right.
    if (to <= this.#done || (!last && this.#done === 0 && end <= Math.max(left, right))) return undefined;
    const from = Math.max(0, this.#done - left);
    const window = this.#frames.window(
      from,
      Math.min(end, to + right),
      { left: left - (this.#done - from), right: last ? right : 0 },
      this.mode,
    );
    this.#done = to;
    // Mirroring at the clip's end looks that far to the left.
    this.#frames.drop(to - Math.max(left, right) - right);
    return window;
  }
}
