/** @file A tune from outside: a file, what was hummed, or notes that were played; as samples to look at and a file to send. */

import { writeWav } from "../../../src/audio/write-wav.js";

/** The rate at which models listen to tunes. */
export const tuneRate = 32_000;

export interface Note {
  /** Hertz. */
  readonly pitch: number;
  /** Seconds. */
  readonly start: number;
  readonly end: number;
}

/** Mono samples of any sound file that the browser can read, at `tuneRate`. */
export async function samplesOf(file: Blob): Promise<Float32Array> {
  const decoder = new OfflineAudioContext(1, 1, tuneRate);
  const buffer = await decoder.decodeAudioData(await file.arrayBuffer());
  const samples = new Float32Array(buffer.length);
  for (let c = 0; c < buffer.numberOfChannels; c++) {
    const channel = buffer.getChannelData(c);
    for (let n = 0; n < samples.length; n++) samples[n]! += channel[n]! / buffer.numberOfChannels;
  }
  return samples;
}

export const wavOf = (samples: Float32Array): Blob =>
  new Blob([new Uint8Array(writeWav({ sampleRate: tuneRate, channels: [samples] }, { bits: 16 }))], {
    type: "audio/wav",
  });

/** Records until `finish` is called. @throws DOMException where there is no microphone, or it may not be used */
export async function record(): Promise<{ finish: () => Promise<Blob>; level: () => number }> {
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: true },
  });
  const recorder = new MediaRecorder(stream);
  const parts: Blob[] = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  recorder.start(250);
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  context.createMediaStreamSource(stream).connect(analyser);
  const moment = new Float32Array(analyser.fftSize);
  return {
    level: () => {
      analyser.getFloatTimeDomainData(moment);
      return moment.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    },
    finish: () =>
      new Promise((resolve) => {
        recorder.onstop = () => {
          for (const track of stream.getTracks()) track.stop();
          void context.close();
          resolve(new Blob(parts, { type: recorder.mimeType }));
        };
        recorder.stop();
      }),
  };
}

/** Notes as sound: a soft tone with few harmonics, so that the model hears one pitch at a time. */
export async function played(notes: readonly Note[]): Promise<Float32Array> {
  const seconds = notes.reduce((most, { end }) => Math.max(most, end), 0) + 0.25;
  const context = new OfflineAudioContext(1, Math.ceil(seconds * tuneRate), tuneRate);
  for (const note of notes) tone(context, context.destination, note.pitch, note.start, note.end);
  return (await context.startRendering()).getChannelData(0);
}

/** One note, from `start` on; until `end`, or until the function that comes back is called. */
export function tone(context: BaseAudioContext, to: AudioNode, pitch: number, start: number, end?: number): () => void {
  const gain = context.createGain();
  gain.connect(to);
  gain.gain.setValueAtTime(0, start);
  gain.gain.linearRampToValueAtTime(0.35, start + 0.012);
  gain.gain.setTargetAtTime(0.2, start + 0.012, 0.25);
  const voices = [1, 0.35, 0.12].map((level, i) => {
    const oscillator = context.createOscillator();
    const part = context.createGain();
    oscillator.frequency.value = pitch * (i + 1);
    part.gain.value = level;
    oscillator.connect(part).connect(gain);
    oscillator.start(start);
    return oscillator;
  });
  const stop = (at: number) => {
    gain.gain.setTargetAtTime(0, at, 0.04);
    for (const oscillator of voices) oscillator.stop(at + 0.3);
  };
  if (end !== undefined) stop(end);
  return () => stop(context.currentTime);
}
