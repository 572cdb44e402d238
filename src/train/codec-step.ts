/**
 * @file One step of the codec's training, as one graph: weights, moments and sounds in, weights, moments and losses out
 * (spec §3.1). The discriminators move first; the codec then learns from them as they are after that.
 */

import type { CodecConfig } from "../codec/config.js";
import * as whole from "../codec/whole.js";
import { differentiate } from "../graph/differentiate.js";
import * as ops from "../graph/ops.js";
import { input, Scope, type Value } from "../graph/value.js";
import type { Tensor } from "../tensor.js";
import { type AdamwConfig, adamwAll, encodecAdam, rateInputs, zeroMoments } from "./adamw.js";
import { passFor, soundAlike, tellApart } from "./adversarial.js";
import { type BalancerConfig, balance, balancerState, encodecBalancer, type Pull } from "./balancer.js";
import { type DiscriminatorConfig, discriminate, encodecDiscriminator, spectrograms } from "./discriminator.js";
import { l1, sum } from "./distance.js";
import { quantizeAndLearn, type RvqTraining, rvqTraining } from "./rvq-training.js";
import { melScales, multiScaleMel } from "./spectral.js";

export interface CodecTraining {
  /** Shares of what the sound is pulled by: to sound recorded, to be heard alike, to be alike as wave and spectrogram. */
  readonly shares: {
    readonly adversarial: number;
    readonly features: number;
    readonly l1: number;
    readonly mel: number;
  };
  readonly balancer: BalancerConfig;
  readonly rvq: RvqTraining;
  readonly discriminator: DiscriminatorConfig;
  /** Of both sides. */
  readonly adam: AdamwConfig;
  /** Encoder and codebooks stay as they are, so that codes keep their meaning for a language model that knows them. */
  readonly onlyDecoder?: boolean;
}

/** The reference's, but for dead entries, which it never revives. The rate that goes with it is 3e-4. */
export const encodecTraining: CodecTraining = {
  shares: { adversarial: 4, features: 4, l1: 0.1, mel: 2 },
  balancer: encodecBalancer,
  rvq: rvqTraining,
  discriminator: encodecDiscriminator,
  adam: encodecAdam,
};

/** B sounds of N samples, coded by the first K codebooks; with none, the decoder is given what the encoder made. */
export interface SoundBatch {
  readonly batch: number;
  readonly samples: number;
  readonly codebooks: number;
  /** Without the discriminators, which cost most of a step: the codec learns from what its sound is alike alone. */
  readonly unjudged?: boolean;
}

export interface CodecStep {
  /** One number each: every loss, how strongly each pulls (`pull.*`, as a share), and what the codec minimised. */
  readonly losses: Readonly<Record<string, Value>>;
  /** What pulls on the decoded sound, [B, channels, N], and that sound. */
  readonly slope: Value;
  readonly made: Value;
  /** What is fed to the next step, under the names under which this step is fed it. */
  readonly next: Readonly<Record<string, Value>>;
  /** Encoder and decoder, which learn by gradients; and codebooks, which learn by following. */
  readonly codec: ReadonlyMap<string, Value>;
  readonly books: ReadonlyMap<string, Value>;
  readonly discriminators: ReadonlyMap<string, Value>;
  /** What `next` holds beside weights and codebooks, before the first step. */
  readonly start: Readonly<Record<string, Tensor>>;
}

/**
 * Inputs: `sound` [B, channels, N]; weights and codebooks under their names; `start`, or what the step before made of it;
 * `rateTensors`; and with `rvq.deadBelow`, `picks.k` for each codebook.
 */
export function codecStep(c: CodecConfig, t: CodecTraining, shape: SoundBatch): CodecStep {
  const { batch, samples, codebooks, unjudged = false } = shape;
  const { onlyDecoder = false } = t;
  const sound = input("sound", "float32", [batch, c.audio_channels, samples]);
  const [p, judges, tables, rates] = [new Scope(), new Scope(), new Scope(), rateInputs()];
  const latent = whole.encoder(p, sound, c);
  const coded = codebooks === 0 ? undefined : quantizeAndLearn(tables, latent, codebooks, c, t.rvq);
  const quantized = onlyDecoder ? ops.detach(coded?.quantized ?? latent) : (coded?.quantized ?? latent);
  const made = ops.slice(whole.decoder(p, quantized, c), 2, 0, samples);

  const judgement = unjudged ? undefined : judge(judges, sound, made, rates, t);
  const losses: Record<string, Value> = {
    ...(judgement === undefined ? {} : { adversarial: judgement.adversarial, features: judgement.features }),
    l1: l1(made, sound),
    mel: multiScaleMel(made, sound, melScales(c.sampling_rate)),
  };
  const pulls: Record<string, Pull> = {};
  for (const [name, loss] of Object.entries(losses))
    pulls[name] = { loss, slope: differentiate(loss, [made])[0]!, weight: t.shares[name as keyof typeof t.shares] };
  const balanced = balance(pulls, t.balancer);

  // The slope of sum(made slope) in the sound is the slope.
  const pulled = sum(ops.mul(made, ops.detach(balanced.slope)));
  const learning = new Map([...p.weights].filter(([name]) => !onlyDecoder || name.startsWith("decoder.")));
  const total = coded === undefined || onlyDecoder ? pulled : ops.add(pulled, coded.penalty);
  const slopes = differentiate(total, [...learning.values()]);
  return {
    losses: {
      ...losses,
      ...(coded === undefined ? {} : { penalty: coded.penalty }),
      ...(judgement === undefined ? {} : { discriminators: judgement.apart }),
      balanced: balanced.loss,
      ...Object.fromEntries(Object.entries(balanced.shares).map(([name, share]) => [`pull.${name}`, share])),
    },
    slope: balanced.slope,
    made,
    next: {
      ...adamwAll(learning, slopes, rates, t.adam),
      ...judgement?.next,
      ...(onlyDecoder ? {} : coded?.next),
      ...balanced.next,
    },
    codec: p.weights,
    books: tables.weights,
    discriminators: judges.weights,
    start: { ...zeroMoments(learning), ...zeroMoments(judges.weights), ...balancerState(Object.keys(losses)) },
  };
}

// --- internal ---

/** The discriminators' step, and what they then say of what the codec made. */
function judge(
  judges: Scope,
  sound: Value,
  made: Value,
  rates: ReturnType<typeof rateInputs>,
  { discriminator, adam }: CodecTraining,
) {
  const [heard, copied] = [spectrograms(sound, discriminator), spectrograms(made, discriminator)];
  const apart = tellApart(
    discriminate(judges, heard, discriminator),
    discriminate(judges, copied.map(ops.detach), discriminator),
  );
  const next = adamwAll(judges.weights, differentiate(apart, [...judges.weights.values()]), rates, adam);
  const wiser = new Scope("", new Map([...judges.weights.keys()].map((name) => [name, next[name]!])));
  const [real, fake] = [discriminate(wiser, heard, discriminator), discriminate(wiser, copied, discriminator)];
  return { apart, next, adversarial: passFor(fake), features: soundAlike(real, fake) };
}
