/** @file What the server keeps of a generation, as the API shows it. */

import type { Desk } from "./desk.js";
import type { Row } from "./store.js";
import { type Generation, snake } from "./wire.js";

export function resource(desk: Desk, row: Row): Generation {
  const live = desk.live(row.id);
  const { result } = row;
  const sound = live?.started ?? result?.sound;
  const settings = live?.started?.settings ?? result?.settings;
  const self = `/v1/generations/${row.id}`;
  return {
    id: row.id,
    state: row.state,
    created_at: iso(row.created)!,
    started_at: iso(row.started),
    finished_at: iso(row.finished),
    position: row.state === "queued" ? (desk.position(row.id) ?? null) : null,
    model: row.model,
    licence: row.licence ?? null,
    request: row.request,
    settings:
      settings === undefined
        ? null
        : Object.fromEntries(Object.entries(settings).map(([field, value]) => [snake(field), value])),
    notes: [...(live?.started?.notes ?? result?.notes ?? [])],
    sound:
      sound === undefined
        ? null
        : {
            sample_rate: sound.sampleRate,
            channels: sound.channels,
            frame_rate: sound.frameRate,
            codebooks: sound.codebooks,
            bins: sound.bins,
          },
    pieces: row.pieces.map(({ prompt, seed }, index) => ({ index, prompt, seed, seconds: result?.duration ?? null })),
    progress: live?.progress ?? null,
    seconds: result?.seconds ?? null,
    real_time_factor: result?.realTimeFactor ?? null,
    error: row.error ?? null,
    title: row.title ?? null,
    favourite: row.favourite,
    tags: [...row.tags],
    parent: row.parent ?? null,
    relation: (row.relation as Generation["relation"]) ?? null,
    urls: {
      self,
      events: `${self}/events`,
      cancel: `${self}/cancel`,
      codes: `${self}/codes`,
      audio: `${self}/audio.wav`,
    },
  };
}

// --- internal ---

const iso = (milliseconds: number | undefined): string | null =>
  (milliseconds === undefined ? null : new Date(milliseconds).toISOString()) as string | null;
