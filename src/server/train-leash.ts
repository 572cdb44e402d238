/**
 * @file Loaded into a process before its own program, by the server that started it. The process keeps others away from the
 * folder that it works in, lets whoever waits for music go first, and stops, with everything saved, when it is told to or
 * its server is gone, however that ended.
 */

import { constants, getPriority, setPriority } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { isMainThread } from "node:worker_threads";
import { HocketError } from "../errors.js";
import { claim } from "./shelf.js";

/** Seconds in which a process of a server that was killed may save what it has. */
const patience = 120;

const folder = process.env.HOCKET_TRAINING;
if (isMainThread && folder !== undefined) {
  delete process.env.HOCKET_TRAINING; // what this process starts is not on the leash
  setPriority(Math.max(getPriority(), constants.priority.PRIORITY_BELOW_NORMAL));
  process.once("disconnect", () => {
    // A Ctrl-C is what every command knows; before it listens, nothing is lost.
    if (!process.emit("SIGINT", "SIGINT")) process.exit(130);
  });
  process.channel?.unref();
  try {
    await claimed(folder);
  } catch (error) {
    process.stderr.write(`${error instanceof HocketError ? error.message : error}\n`);
    process.exit(2);
  }
}

// --- internal ---

async function claimed(folder: string): Promise<void> {
  for (let waited = 0; ; waited++)
    try {
      await claim(folder);
      return;
    } catch (error) {
      if (!(error instanceof HocketError) || error.code !== "bad-request") throw error;
      if (waited >= patience)
        throw new HocketError("bad-request", "another process is still at work on this: try again in a minute");
      await sleep(1000);
    }
}
