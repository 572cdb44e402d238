/**
 * @file Parts of a score played by SoundFonts (spessasynth_core), each into a sound of its own, without effects: the
 * synthesiser's reverb and chorus cost half its speed.
 */

import { assert } from "../errors.js";
import { type Font, synthesiser } from "./fonts.js";
import type { Control, Note, Part } from "./score.js";
import type { Span } from "./span.js";

/**
 * Plays `parts` with one font. The synthesiser is made anew: one that was used before sounds a little different.
 * @returns [parts][channels][samples of `span`]; in mono both sides are added up
 */
export async function playSampled(
  parts: readonly Part[],
  font: Font,
  span: Span,
  channels: 1 | 2,
): Promise<Float32Array[][]> {
  const library = await synthesiser();
  const stems: Float32Array[][] = [];
  // Sixteen channels a synthesiser, one of them for drums.
  for (const group of groups(parts)) {
    const synth = new library.SpessaSynthProcessor(span.rate, { eventsEnabled: false, effectsEnabled: false });
    await synth.processorInitialized; // its Vorbis decoder
    synth.soundBankManager.addSoundBank(font.bank, "main");
    synth.setSystemParameter("voiceCap", mostVoices);
    const outputs = Array.from({ length: 16 }, () => unused);
    for (const { channel } of group) outputs[channel] = sides(channels, span.samples);
    const events = group.flatMap(({ part, channel }) => eventsOf(part, channel, span)).sort((a, b) => a.at - b.at);
    let done = 0;
    const renderTo = (end: number) => {
      while (done < Math.min(end, span.samples)) {
        const count = Math.min(block, end - done, span.samples - done);
        synth.processSplit(outputs, outputs[0]![0]!, outputs[0]![1]!, done, count);
        done += count;
      }
    };
    for (const { at, send } of events) {
      if (at >= span.samples) break;
      renderTo(at);
      send(synth);
    }
    renderTo(span.samples);
    for (const { index, channel } of group) stems[index] = outputs[channel]!.slice(0, channels);
  }
  return stems;
}

// --- internal ---

/** Samples between two looks at envelopes: the synthesiser's own. */
const block = 128;
/** Events fall on multiples of this many samples, a millisecond: each splits a block in two. */
const grid = 32;
/** At once; a band of seven has fifty. Every one that may be there is looked at for each block. */
const mostVoices = 160;
const drumChannel = 9;
/** Semitones that a full bend is. */
const bendRange = 12;

type Synth = InstanceType<Awaited<ReturnType<typeof synthesiser>>["SpessaSynthProcessor"]>;

type Controller = Parameters<Synth["controllerChange"]>[1];

interface Event {
  /** In samples of the span. */
  readonly at: number;
  send(synth: Synth): void;
}

/** Where channels play that nobody plays on. */
const unused: Float32Array[] = [new Float32Array(0), new Float32Array(0)];

/** One side twice is what adds the sides up: the synthesiser adds to what is there. */
function sides(channels: 1 | 2, samples: number): Float32Array[] {
  const left = new Float32Array(samples);
  return [left, channels === 1 ? left : new Float32Array(samples)];
}

/** Parts with their channels, as many as one synthesiser plays at a time. */
function groups(parts: readonly Part[]): { part: Part; index: number; channel: number }[][] {
  const made: { part: Part; index: number; channel: number }[][] = [];
  for (const [index, part] of parts.entries()) {
    const wanted = part.sound.kind === "kit" ? [drumChannel] : melodic;
    const free = (group: (typeof made)[number]) =>
      wanted.find((channel) => group.every((taken) => taken.channel !== channel));
    const group = made.find((each) => free(each) !== undefined);
    if (group === undefined) made.push([{ part, index, channel: wanted[0]! }]);
    else group.push({ part, index, channel: free(group)! });
  }
  return made;
}

const melodic = Array.from({ length: 16 }, (_, channel) => channel).filter((channel) => channel !== drumChannel);

function eventsOf(part: Part, channel: number, span: Span): Event[] {
  const { sound } = part;
  assert(sound.kind !== "synth", `${part.name} is not for a SoundFont`);
  const setUp: Event = {
    at: 0,
    send(synth) {
      synth.programChange(channel, sound.program);
      for (const [controller, value] of bendRangeMessage) synth.controllerChange(channel, controller, value);
    },
  };
  const at = (seconds: number) => grid * Math.max(0, Math.round(span.sampleAt(seconds) / grid));
  const controls = part.controls.map((control) => ({ at: at(control.at), send: sendControl(channel, control) }));
  return [setUp, ...controls, ...noteEvents(part.notes, channel, at, span)];
}

/** Registered parameter 0 is the range of bends, in semitones; 127 closes it. */
const bendRangeMessage = [
  [101, 0],
  [100, 0],
  [6, bendRange],
  [38, 0],
  [101, 127],
  [100, 127],
] as const;

function sendControl(channel: number, { controller, value }: Control): Event["send"] {
  if (controller !== "bend")
    return (synth) => synth.controllerChange(channel, controller as Controller, Math.round(value));
  const wheel = Math.max(0, Math.min(16383, Math.round(8192 * (1 + value / bendRange))));
  return (synth) => synth.pitchWheel(channel, wheel);
}

/** Ends come before beginnings: a key that is struck again is let go first, or its second note would end with the first. */
function noteEvents(notes: readonly Note[], channel: number, at: (seconds: number) => number, span: Span): Event[] {
  const ends: Event[] = [];
  const starts: Event[] = [];
  const sorted = notes.filter(({ at: start, duration }) => start + duration > span.start).sort((a, b) => a.at - b.at);
  const next = new Map<number, number>(); // when each key is struck again
  for (const { at: start, duration, pitch, velocity } of sorted.toReversed()) {
    const [from, to] = [at(start), at(start + duration)];
    const key = Math.round(pitch);
    const loud = Math.max(1, Math.min(127, Math.round(velocity)));
    starts.push({ at: from, send: (synth) => synth.noteOn(channel, key, loud) });
    const end = Math.min(Math.max(to, from + grid), next.get(key) ?? Number.POSITIVE_INFINITY);
    ends.push({ at: end, send: (synth) => synth.noteOff(channel, key) });
    next.set(key, from);
  }
  return [...ends, ...starts];
}
