/**
 * @file How the voice in front sounds: of the strongest harmonic tone of each moment, which overtones it has, whether it
 * holds, wavers or dies away, and how its notes begin. What tells a flute from a piano when others play along. (Salience as a sum over harmonics:
 * Salamon and Gómez, 2012.)
 */

import { type Heard, hearingRate, powerSpectra } from "./hearing.js";

/** Numbers of `voice`. */
export const voiceCount = 3 * 12 + 9 + 2 * 8;

export function voice({ samples }: Heard): Float32Array {
  const tones: Tone[] = [];
  for (const power of powerSpectra(samples, size, hop)) tones.push(strongest(power));
  const loudest = Math.max(1e-9, ...tones.map(({ strength }) => strength));
  const clear = tones.filter(({ strength }) => strength > 0.03 * loudest);
  if (clear.length < 8) return new Float32Array(voiceCount);
  const overtones = Array.from({ length: harmonics }, (_, h) => spread(clear.map(({ levels }) => levels[h]!)));
  // Where little else sounds.
  const alone = clear.toSorted((a, b) => b.share - a.share).slice(0, Math.ceil(0.3 * clear.length));
  const purest = Array.from({ length: harmonics }, (_, h) => spread(alone.map(({ levels }) => levels[h]!))[0]);
  // From one moment to the next on one note: how pitch and strength move.
  const held: { bend: number; growth: number; bright: number }[] = [];
  const begun: number[] = [];
  for (let t = 1; t < tones.length; t++) {
    const [before, now] = [tones[t - 1]!, tones[t]!];
    if (now.strength <= 0.03 * loudest) continue;
    const bend = now.pitch - before.pitch;
    if (Math.abs(bend) > 0.6 || before.strength <= 0.03 * loudest) begun.push(t);
    else
      held.push({ bend, growth: Math.log(now.strength / before.strength), bright: now.levels[4]! - before.levels[4]! });
  }
  const growths = held.map(({ growth }) => growth).sort((a, b) => a - b);
  const at = (share: number) => growths[Math.floor(share * growths.length)] ?? 0;
  return Float32Array.from([
    ...overtones.flat(),
    ...spread(clear.map(({ pitch }) => (pitch - 70) / 12)),
    ...spread(clear.map(({ share }) => share)),
    held.reduce((sum, { bend }) => sum + Math.abs(bend), 0) / Math.max(1, held.length),
    at(0.25),
    at(0.5),
    at(0.75),
    begun.length / tones.length,
    ...purest,
    ...beginnings(tones, begun),
  ]);
}

// --- internal ---

const size = 2048;
const hop = 320;
const harmonics = 12;
/** Of `hop` samples, in which a note begins. */
const moments = 8;
/** Candidates, in quarters of semitones from D3 to C7. */
const lowest = 50;
const candidates = Array.from({ length: 4 * 46 + 1 }, (_, i) => {
  const pitch = lowest + i / 4;
  return { pitch, bin: (440 * 2 ** ((pitch - 69) / 12) * size) / hearingRate };
});

/** The strongest harmonic tone of a moment. */
interface Tone {
  /** MIDI number, in quarters. */
  readonly pitch: number;
  readonly strength: number;
  /** Of all that sounds. */
  readonly share: number;
  /** Of each harmonic, the logarithm of its share. */
  readonly levels: readonly number[];
}

function strongest(power: Float64Array): Tone {
  const magnitude = power.map(Math.sqrt);
  const peaks = new Float64Array(magnitude.length);
  for (let k = 1; k + 1 < peaks.length; k++) peaks[k] = Math.max(magnitude[k - 1]!, magnitude[k]!, magnitude[k + 1]!);
  /** The largest near a place between bins: a tone's lobe is four bins wide. */
  const near = (place: number): number => peaks[Math.round(place)] ?? 0;
  let [best, strength] = [candidates[0]!, -1];
  for (const candidate of candidates) {
    let sum = 0;
    // At its own bin, a lower octave would be as strong as the tone: near its first two harmonics nothing else counts.
    const first = Math.min(near(candidate.bin), 2 * near(2 * candidate.bin) + 1e-9);
    for (let h = 2, weight = 0.8; h <= 8; h++, weight *= 0.8) sum += weight * near(h * candidate.bin);
    const salience = first + sum * Math.min(1, (2 * first) / (sum + 1e-9));
    if (salience > strength) [best, strength] = [candidate, salience];
  }
  const levels = Array.from({ length: harmonics }, (_, h) => near((h + 1) * best.bin));
  const own = levels.reduce((sum, level) => sum + level, 0);
  const all = magnitude.reduce((sum, value) => sum + value, 0);
  return {
    pitch: best.pitch,
    strength,
    share: own / (all + 1e-9),
    levels: levels.map((level) => Math.log10(level / (own + 1e-9) + 1e-3)),
  };
}

/** [2 * 8] of notes that last: how strong they are, against their strongest, and how bright, in their first moments. */
function beginnings(tones: readonly Tone[], begun: readonly number[]): number[] {
  const lasting = begun.filter((from, i) => Math.min(begun[i + 1] ?? tones.length, tones.length) - from >= moments);
  const notes = lasting.map((from) => tones.slice(from, from + moments));
  const mean = (of: (tone: Tone, note: readonly Tone[]) => number, t: number) =>
    notes.reduce((sum, note) => sum + of(note[t]!, note), 0) / Math.max(1, notes.length);
  const loudness = ({ strength }: Tone, note: readonly Tone[]) =>
    Math.log((strength + 1e-9) / (Math.max(...note.map((tone) => tone.strength)) + 1e-9));
  const brightness = ({ levels }: Tone) => levels[2]! + levels[4]! + levels[6]!;
  return [loudness, brightness].flatMap((of) => Array.from({ length: moments }, (_, t) => mean(of, t)));
}

/** Mean and deviation. */
function spread(values: readonly number[]): [number, number] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return [mean, Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)];
}
