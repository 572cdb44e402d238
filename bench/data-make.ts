/** @file How much of a processor core's time does an hour of music to learn from take: composed, played, mixed, described and packed? */

import { type Row, row } from "../src/bench/row.js";
import { makeClip } from "../src/recipe/clip.js";
import { findFonts } from "../src/recipe/fonts.js";

const clips = 40;
const seconds = 10;

export async function dataMake(): Promise<Row[]> {
  const fonts = await findFonts();
  const job = (seed: number) => ({ seed, split: "train", path: "", seconds, channels: 1, fonts }) as const;
  // A long run has compiled its code and unpacked the samples that it plays.
  for (let seed = 1000; seed < 1000 + clips / 2; seed++) await makeClip(job(seed));
  const start = process.cpuUsage();
  for (let seed = 0; seed < clips; seed++) await makeClip(job(seed));
  const { user, system } = process.cpuUsage(start);
  const cost = ((user + system) / 1e6) * (3600 / (clips * seconds));
  return [row("make-hour", cost, "s", 3600 / 20, "20 hours an hour of one core")];
}
