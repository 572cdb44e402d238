/**
 * @file Plays a track, also one that still grows: what is there is given to the browser's clock sample after sample, so
 * that parts join without a click; where the track runs dry, playing waits for more.
 */

import { signal } from "@preact/signals";
import type { Track } from "./track.js";

/** Seconds that must be there again before playing goes on after it ran dry. */
const reserve = 0.35;

export class Player {
  /** "waiting": it wants to play, and there is nothing yet. */
  readonly state = signal<"still" | "playing" | "waiting">("still");
  /** Where the browser does not let a page make sound before somebody touched it. */
  readonly held = signal(false);
  readonly track = signal<Track | undefined>(undefined);
  /** Counts up when somebody moved to another place. */
  readonly seeks = signal(0);
  #output: Output | undefined;
  #sources: AudioBufferSourceNode[] = [];
  /** Sample `sample` of the track is heard at `time` of the context. */
  #zero = { time: 0, sample: 0 };
  #until = 0; // samples given away
  #begin: (() => boolean) | undefined;
  #loop: { readonly start: number; readonly end: number } | undefined;
  #gain = 1;
  readonly #onMore = () => this.#pump();

  /** Takes up a track, at its beginning, silently. */
  load(track: Track): void {
    if (this.track.peek() === track) return;
    this.unload();
    this.track.value = track;
    this.#zero = { time: 0, sample: 0 };
    this.#loop = undefined;
    track.listeners.add(this.#onMore);
  }

  /** Lets go of its track. */
  unload(): void {
    this.pause();
    this.track.peek()?.listeners.delete(this.#onMore);
    this.track.value = undefined;
  }

  /** To be called while a key or a button is being pressed: browsers let pages make sound then. */
  wake(sampleRate: number): void {
    void outputAt(sampleRate).context.resume();
  }

  /** Plays as soon as `enough` says so. */
  playWhen(enough: () => boolean): void {
    this.#begin = enough;
    this.state.value = "waiting";
    this.#pump();
  }

  play(): void {
    const track = this.track.peek();
    if (track === undefined) return;
    this.#begin = undefined;
    const output = this.#ready(track);
    if (output.context.state === "suspended") void output.context.resume();
    if (track.whole && this.#zero.sample >= track.length) this.#zero.sample = 0;
    this.#start(output, this.#zero.sample);
  }

  pause(): void {
    const at = this.#sample();
    this.#silence();
    this.#begin = undefined;
    this.#zero = { time: 0, sample: at };
    this.state.value = "still";
  }

  toggle(): void {
    if (this.state.peek() === "still" || this.#begin !== undefined) this.play();
    else this.pause();
  }

  seek(seconds: number): void {
    const track = this.track.peek();
    if (track === undefined) return;
    const sample = Math.round(Math.max(0, Math.min(seconds, track.seconds)) * track.sampleRate);
    if (this.state.peek() === "playing") this.#start(this.#ready(track), sample);
    else this.#zero = { time: 0, sample };
    this.seeks.value++;
  }

  /** Plays this part over and over, in seconds; undefined: the whole, once. */
  set loop(part: { readonly start: number; readonly end: number } | undefined) {
    this.#loop = part;
  }

  set gain(gain: number) {
    this.#gain = gain;
    if (this.#output !== undefined)
      this.#output.gain.gain.setTargetAtTime(gain, this.#output.context.currentTime, 0.008);
  }

  /** Seconds: what is heard now. Ask at every frame that is drawn: it also notices the end. */
  position(): number {
    const track = this.track.peek();
    if (track === undefined) return 0;
    const at = this.#sample();
    const loop = this.#loop;
    if (this.state.peek() === "playing") {
      if (loop !== undefined && at >= loop.end * track.sampleRate) this.seek(loop.start);
      else if (at >= track.length) {
        this.#silence();
        this.#zero = { time: 0, sample: track.length };
        this.state.value = track.whole ? "still" : "waiting";
      }
    }
    return this.#sample() / track.sampleRate;
  }

  /** Loudest sample of the last moment. */
  level(): number {
    if (this.#output === undefined || this.state.peek() !== "playing") return 0;
    const { analyser, moment } = this.#output;
    analyser.getFloatTimeDomainData(moment);
    return moment.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  }

  #sample(): number {
    const track = this.track.peek();
    if (track === undefined || this.#output === undefined || this.state.peek() !== "playing") return this.#zero.sample;
    const { context } = this.#output;
    const heard = context.currentTime - this.#zero.time - (context.outputLatency || 0);
    return Math.min(track.length, this.#zero.sample + Math.max(0, Math.floor(heard * track.sampleRate)));
  }

  #ready(track: Track): Output {
    const { context } = outputAt(track.sampleRate);
    if (this.#output?.context === context) return this.#output;
    this.#output?.gain.disconnect();
    const [gain, analyser] = [context.createGain(), context.createAnalyser()];
    gain.gain.value = this.#gain;
    gain.connect(analyser).connect(context.destination);
    this.#output = { context, gain, analyser, moment: new Float32Array(analyser.fftSize) };
    return this.#output;
  }

  #start(output: Output, sample: number): void {
    this.#silence();
    this.#zero = { time: output.context.currentTime + 0.02, sample };
    this.#until = sample;
    this.state.value = "playing";
    this.held.value = output.context.state === "suspended";
    output.context.onstatechange = () => {
      this.held.value = output.context.state === "suspended";
    };
    this.#pump();
  }

  /** Gives away what is there and was not given away yet. */
  #pump(): void {
    const track = this.track.peek();
    if (track === undefined || this.state.peek() === "still") return;
    if (this.state.peek() === "waiting") {
      const there = (track.length - this.#zero.sample) / track.sampleRate;
      const go = this.#begin?.() ?? there >= reserve;
      if (go || track.whole) this.play();
      return;
    }
    const output = this.#ready(track);
    if (track.length <= this.#until) return;
    const start = this.#zero.time + (this.#until - this.#zero.sample) / track.sampleRate;
    if (start < output.context.currentTime) {
      this.#start(output, this.#until); // it ran dry unseen
      return;
    }
    const part = track.slice(this.#until, track.length);
    const buffer = output.context.createBuffer(part.length, part[0]!.length, track.sampleRate);
    for (const [c, channel] of part.entries()) buffer.copyToChannel(channel, c);
    const source = output.context.createBufferSource();
    source.buffer = buffer;
    source.connect(output.gain);
    source.start(start);
    this.#sources.push(source);
    this.#until = track.length;
  }

  #silence(): void {
    for (const source of this.#sources) {
      source.stop();
      source.disconnect();
    }
    this.#sources = [];
  }
}

/** What the page plays with its space bar. */
export const player = new Player();

// --- internal ---

interface Output {
  readonly context: AudioContext;
  readonly gain: GainNode;
  readonly analyser: AnalyserNode;
  readonly moment: Float32Array<ArrayBuffer>;
}

/** One a sample rate: at the track's own rate parts join exactly, and the browser resamples the whole. */
const contexts = new Map<number, AudioContext>();

function outputAt(sampleRate: number): { context: AudioContext } {
  const context = contexts.get(sampleRate) ?? new AudioContext({ sampleRate });
  contexts.set(sampleRate, context);
  return { context };
}
