/** @file The game between codec and discriminators: what each wants (spec §3.4). All are means over the discriminators. */

import * as ops from "../graph/ops.js";
import type { Value } from "../graph/value.js";
import type { Verdict } from "./discriminator.js";
import { l1, mean } from "./distance.js";

/** Discriminators want logits above 1 for what was recorded, below -1 for what was made. Beyond, they do not care. */
export const tellApart = (real: readonly Verdict[], made: readonly Verdict[]): Value =>
  over(real, (verdict, i) => {
    const short = (logits: Value) => mean(ops.relu(ops.sub(ops.scalar(1), logits)));
    return ops.add(short(verdict.logits), short(ops.neg(made[i]!.logits)));
  });

/** The codec wants high logits for what it made. */
export const passFor = (made: readonly Verdict[]): Value => over(made, ({ logits }) => ops.neg(mean(logits)));

/** And it wants to be heard as the recording is: the distance of all that the discriminators notice. */
export const soundAlike = (real: readonly Verdict[], made: readonly Verdict[]): Value =>
  over(real, ({ features }, i) => average(features.map((feature, layer) => l1(made[i]!.features[layer]!, feature))));

// --- internal ---

const average = (values: readonly Value[]): Value => ops.div(values.reduce(ops.add), ops.scalar(values.length));

const over = (verdicts: readonly Verdict[], loss: (verdict: Verdict, i: number) => Value): Value =>
  average(verdicts.map(loss));
