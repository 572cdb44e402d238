/** @file For tests: a folder of music to learn from, as people have it: some songs, some of which cannot be used. */

import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { writeWav } from "../src/audio/write-wav.js";
import { addNote, mono, silence } from "./synthetic.js";

/**
 * Its `songs` are a, b, c and d.wav, of 2 s, a.wav with words beside it; broken.wav and short.wav cannot be learnt from.
 * Removed when the tests of this file are done.
 */
export function musicFolder(): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "hocket-music-")));
  after(() => rmSync(root, { recursive: true, force: true }));
  const songs = join(root, "songs");
  mkdirSync(songs);
  mkdirSync(join(root, "empty"));
  for (const [i, name] of ["a", "b", "c", "d"].entries())
    writeFileSync(join(songs, `${name}.wav`), song(60 + 3 * i, 2));
  writeFileSync(join(songs, "a.txt"), "slow bells\n");
  writeFileSync(join(songs, "broken.wav"), song(60, 2).subarray(0, 20));
  writeFileSync(join(songs, "short.wav"), song(60, 0.2));
  return root;
}

// --- internal ---

function song(pitch: number, seconds: number): Uint8Array {
  const sound = silence(seconds);
  for (let at = 0; at + 0.2 <= seconds; at += 0.25) addNote(sound, at, 0.2, pitch + ((8 * at) % 7), 0.3);
  return writeWav(mono(sound), { bits: 16 });
}
