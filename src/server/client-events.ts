/** @file The events of a generation as they come over the line, for the client: text/event-stream into things with types. */

import type { Generation, Progress } from "./wire.js";

/** What happens to a generation. Sound comes as amplitudes, [channels][samples], from sample `at` on. */
export type GenerationEvent =
  | { readonly type: "state" | "done" | "failed" | "cancelled"; readonly generation: Generation }
  | { readonly type: "progress"; readonly progress: Progress }
  /** Columns of codes from `frame` on: [piece][codebook][column]. */
  | { readonly type: "codes"; readonly frame: number; readonly pieces: readonly (readonly (readonly number[])[])[] }
  | {
      readonly type: "audio";
      readonly piece: number;
      readonly at: number;
      readonly sampleRate: number;
      readonly channels: readonly Float32Array<ArrayBuffer>[];
    }
  | { readonly type: "deleted" };

/** An event as it stands in the stream. */
export interface Raw {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: string;
}

/** The events of a text/event-stream. */
export async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Raw> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += decoder.decode(value, { stream: true });
      const blocks = text.split("\n\n");
      text = blocks.pop()!;
      for (const block of blocks) {
        const fields = block.split("\n").map((line) => /^(\w+): ?(.*)$/s.exec(line) ?? []);
        const field = (wanted: string) => fields.find(([, name]) => name === wanted)?.[2];
        const data = field("data");
        if (data !== undefined) yield { event: field("event") ?? "message", id: field("id"), data };
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

export function shaped(event: string, data: unknown): GenerationEvent {
  switch (event) {
    case "progress":
      return { type: "progress", progress: data as Progress };
    case "codes":
      return { type: "codes", ...(data as { frame: number; pieces: number[][][] }) };
    case "audio": {
      const { piece, at, sample_rate: sampleRate, channels, pcm } = data as AudioData;
      return { type: "audio", piece, at, sampleRate, channels: fromPcm(pcm, channels) };
    }
    case "deleted":
      return { type: "deleted" };
    default:
      return { type: event as Generation["state"] & "done", generation: data as Generation };
  }
}

// --- internal ---

interface AudioData {
  readonly piece: number;
  readonly at: number;
  readonly sample_rate: number;
  readonly channels: number;
  readonly pcm: string;
}

/** base64 of interleaved little-endian 16-bit PCM as [C][N]. */
function fromPcm(pcm: string, count: number): Float32Array<ArrayBuffer>[] {
  const bytes = Uint8Array.from(atob(pcm), (unit) => unit.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const samples = bytes.length / 2 / count;
  return Array.from({ length: count }, (_, c) => {
    const channel = new Float32Array(samples);
    for (let n = 0; n < samples; n++) channel[n] = view.getInt16(2 * (n * count + c), true) / 32768;
    return channel;
  });
}
