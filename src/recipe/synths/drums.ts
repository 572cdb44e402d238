/**
 * @file Two kits of drum machines, after what the TR-808 and TR-909 are made of: falling sines, square waves that do not
 * fit each other, and noise through filters. Keys are General MIDI's.
 */

import { HocketError } from "../../errors.js";
import { noise } from "./noise.js";
import type { Instrument, Stage } from "./synth.js";

/** A kit: a hit of each key is made once and played at each note's strength. */
export const kit =
  (machine: "808" | "909"): Instrument =>
  (stage) => {
    const hits = new Map<string, Float32Array>();
    let hat: { start: number; hit: Float32Array; gain: number } | undefined;
    return ({ start, frequency, velocity, seed }) => {
      const key = Math.round(69 + 12 * Math.log2(frequency / 440));
      const drum = drums[key];
      if (drum === undefined)
        throw new HocketError(
          "bad-request",
          `kit-${machine} has nothing on key ${key}: ${Object.keys(drums).join(", ")}`,
        );
      const take = drum.hat ? seed & 3 : 0; // hats that are all the same sound like a machine gun
      const name = `${key}.${take}`;
      const hit = hits.get(name) ?? toPeak(drum.make(machine, stage, 0x5eed + 97 * key + take), drum.peak);
      hits.set(name, hit);
      const gain = 0.15 + 0.85 * velocity ** 2;
      if (drum.hat) {
        if (hat !== undefined) choke(stage, hat, start);
        hat = { start, hit, gain };
      }
      const end = Math.min(stage.out.length, start + hit.length);
      for (let n = Math.max(0, start); n < end; n++) stage.out[n]! += gain * hit[n - start]!;
    };
  };

// --- internal ---

interface Drum {
  /** How high the hardest hit reaches. */
  readonly peak: number;
  /** One of those that are played with the same pair of cymbals: the next one ends it. */
  readonly hat?: true;
  make(machine: "808" | "909", stage: Stage, seed: number): Float32Array;
}

/** Takes back what sounds after `at`, but for a fade of 4 ms. */
function choke({ out, rate }: Stage, last: { start: number; hit: Float32Array; gain: number }, at: number): void {
  const fade = 0.004 * rate;
  const end = Math.min(out.length, last.start + last.hit.length);
  for (let n = Math.max(0, at); n < end; n++)
    out[n]! -= last.gain * last.hit[n - last.start]! * Math.min(1, (n - at) / fade);
}

const kick: Drum = {
  peak: 1,
  make: (machine, { rate, draw }, seed) =>
    machine === "808"
      ? thump(rate, { from: 110, to: 44 + 10 * draw(1), fall: 0.03, seconds: 0.5 + 0.8 * draw(2), click: 0.15, seed })
      : thump(rate, { from: 260, to: 48 + 10 * draw(1), fall: 0.025, seconds: 0.3 + 0.2 * draw(2), click: 0.5, seed }),
};

const tom = (pitch: number): Drum => ({
  peak: 0.8,
  make: (machine, { rate }, seed) =>
    thump(rate, {
      from: pitch * (machine === "808" ? 1.3 : 1.7),
      to: pitch,
      fall: 0.05,
      seconds: machine === "808" ? 0.45 : 0.35,
      click: machine === "808" ? 0.03 : 0.2,
      seed,
    }),
});

const snare: Drum = {
  peak: 0.8,
  make: (machine, { rate, draw }, seed) => {
    const pitch = (machine === "808" ? 170 : 190) * (0.9 + 0.2 * draw(3));
    const body = thump(rate, { from: 1.4 * pitch, to: pitch, fall: 0.01, seconds: 0.18, click: 0.1, seed });
    const rattle = hiss(rate, {
      low: machine === "808" ? 1800 : 900,
      high: 9000,
      seconds: 0.14 + 0.14 * draw(4),
      seed,
    });
    return sum(scaled(body, machine === "808" ? 0.7 : 0.5), scaled(rattle, 0.8));
  },
};

/** Three short bursts before the long one: hands that do not meet at once. */
const clap: Drum = {
  peak: 0.7,
  make: (_, { rate, draw }, seed) => {
    const burst = (seconds: number, k: number) => hiss(rate, { low: 800, high: 3500, seconds, seed: seed + k });
    const apart = Math.round((0.008 + 0.005 * draw(5)) * rate);
    return sum(...[0, 1, 2].map((k) => delayed(burst(0.012, k), k * apart)), delayed(burst(0.2, 3), 3 * apart));
  },
};

const hat = (seconds: number): Drum => ({
  hat: true,
  peak: 0.35,
  make: (machine, { rate, draw }, seed) => {
    const long = seconds * (0.7 + 0.6 * draw(6));
    const cymbal =
      machine === "808" ? metal(rate, long, 0.55, 7000) : hiss(rate, { low: 7000, high: 15000, seconds: long, seed });
    return sum(scaled(cymbal, 0.7), scaled(hiss(rate, { low: 9000, high: 15000, seconds: long / 2, seed }), 0.3));
  },
});

const cymbal = (seconds: number, low: number): Drum => ({
  peak: 0.5,
  make: (_, { rate }, seed) =>
    sum(scaled(metal(rate, seconds, 0.8, low), 0.6), scaled(hiss(rate, { low, high: 14000, seconds, seed }), 0.6)),
});

/** Two square waves a fifth and a bit apart. */
const cowbell: Drum = {
  peak: 0.4,
  make: (_, { rate }) => squares(rate, [540, 800], 0.25, 400),
};
const clave: Drum = {
  peak: 0.4,
  make: (_, { rate }, seed) => thump(rate, { from: 2500, to: 2500, fall: 0.01, seconds: 0.05, click: 0, seed }),
};
const rim: Drum = {
  peak: 0.5,
  make: (_, { rate }, seed) =>
    sum(
      thump(rate, { from: 1700, to: 1650, fall: 0.01, seconds: 0.03, click: 0.6, seed }),
      thump(rate, { from: 820, to: 800, fall: 0.01, seconds: 0.03, click: 0, seed }),
    ),
};
const shaker: Drum = {
  peak: 0.25,
  make: (_, { rate }, seed) => hiss(rate, { low: 5000, high: 12000, seconds: 0.06, seed }),
};

const drums: Readonly<Record<number, Drum>> = {
  35: kick,
  36: kick,
  37: rim,
  38: snare,
  39: clap,
  40: snare,
  41: tom(80),
  42: hat(0.06),
  43: tom(95),
  44: hat(0.08),
  45: tom(115),
  46: hat(0.5),
  47: tom(135),
  48: tom(160),
  49: cymbal(1.6, 3000),
  50: tom(190),
  51: cymbal(1, 5500),
  52: cymbal(1.2, 2000),
  53: cowbell,
  54: shaker,
  55: cymbal(0.8, 4000),
  56: cowbell,
  57: cymbal(1.8, 2500),
  59: cymbal(1.1, 6000),
  60: tom(320),
  61: tom(250),
  62: tom(270),
  63: tom(220),
  64: tom(170),
  65: tom(240),
  66: tom(180),
  67: cowbell,
  68: cowbell,
  69: shaker,
  70: shaker,
  75: clave,
  76: clave,
  77: rim,
  82: shaker,
};

/** A sine that falls from one frequency (Hz) to another within about `fall` seconds, and a click of noise. */
function thump(
  rate: number,
  drum: { from: number; to: number; fall: number; seconds: number; click: number; seed: number },
): Float32Array {
  const random = noise(drum.seed);
  const out = new Float32Array(Math.ceil(1.2 * drum.seconds * rate));
  let phase = 0;
  for (let n = 0; n < out.length; n++) {
    const t = n / rate;
    const click = t < 0.006 ? drum.click * random() * (1 - t / 0.006) : 0;
    const body = Math.sin(phase) * Math.exp((-5 * t) / drum.seconds) * Math.min(1, t / 0.001);
    out[n] = body + click;
    phase += (2 * Math.PI * (drum.to + (drum.from - drum.to) * Math.exp(-t / drum.fall))) / rate;
  }
  return faded(out, rate);
}

/** Noise between two frequencies (Hz), gone after about `seconds`. */
function hiss(rate: number, drum: { low: number; high: number; seconds: number; seed: number }): Float32Array {
  const random = noise(drum.seed);
  const out = new Float32Array(Math.ceil(1.2 * drum.seconds * rate));
  const fall = Math.exp(-5 / (drum.seconds * rate));
  let envelope = 1;
  for (let n = 0; n < out.length; n++, envelope *= fall) out[n] = envelope * random();
  return faded(lowPassed(highPassed(out, drum.low, rate), drum.high, rate), rate);
}

/** Six square waves of the 808's cymbals, above `low` Hz. */
const metal = (rate: number, seconds: number, pitch: number, low: number): Float32Array =>
  squares(
    rate,
    [800, 540, 522.7, 369.6, 304.4, 205.3].map((f) => (f / 0.55) * pitch),
    seconds,
    low,
  );

/** Sums of odd harmonics below half the rate, so that nothing folds back. */
function squares(rate: number, frequencies: readonly number[], seconds: number, low: number): Float32Array {
  const out = new Float32Array(Math.ceil(1.2 * seconds * rate));
  for (const frequency of frequencies)
    for (let k = 1; k * frequency < 0.48 * rate; k += 2) {
      if (k * frequency < 0.5 * low) continue; // the filter below leaves nothing of it
      // A sine by its recurrence: y[n] = 2 cos(w) y[n - 1] - y[n - 2].
      const w = (2 * Math.PI * k * frequency) / rate;
      const twice = 2 * Math.cos(w);
      let [last, current] = [Math.sin(-w), 0];
      for (let n = 0; n < out.length; n++) {
        out[n]! += current / k / frequencies.length;
        [last, current] = [current, twice * current - last];
      }
    }
  const fall = Math.exp(-5 / (seconds * rate));
  let envelope = 2;
  for (let n = 0; n < out.length; n++, envelope *= fall) out[n]! *= envelope;
  return faded(highPassed(out, low, rate), rate);
}

/** Of second order, by two of first order. */
function highPassed(sound: Float32Array, frequency: number, rate: number): Float32Array {
  const low = lowPassed(sound, frequency, rate);
  const once = sound.map((x, n) => x - low[n]!);
  const again = lowPassed(once, frequency, rate);
  return once.map((x, n) => x - again[n]!);
}

function lowPassed(sound: Float32Array, frequency: number, rate: number): Float32Array {
  const a = 1 - Math.exp((-2 * Math.PI * Math.min(frequency, 0.45 * rate)) / rate);
  let state = 0;
  return sound.map((x) => (state += a * (x - state)));
}

/** Its last 5 ms go to zero. */
function faded(sound: Float32Array, rate: number): Float32Array {
  const fade = Math.min(sound.length, Math.round(0.005 * rate));
  for (let n = 1; n <= fade; n++) sound[sound.length - n]! *= (n - 1) / fade;
  return sound;
}

function toPeak(sound: Float32Array, peak: number): Float32Array {
  let highest = 1e-9;
  for (let n = 0; n < sound.length; n++) highest = Math.max(highest, Math.abs(sound[n]!));
  return scaled(sound, peak / highest);
}

const scaled = (sound: Float32Array, gain: number): Float32Array => sound.map((x) => gain * x);

function delayed(sound: Float32Array, samples: number): Float32Array {
  const out = new Float32Array(sound.length + samples);
  out.set(sound, samples);
  return out;
}

function sum(...sounds: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(Math.max(...sounds.map(({ length }) => length)));
  for (const sound of sounds) for (let n = 0; n < sound.length; n++) out[n]! += sound[n]!;
  return out;
}
