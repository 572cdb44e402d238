/** @file `hocket worker`: composes for servers on other machines, or beside one on this. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HocketError } from "../errors.js";
import type { Place } from "../server/jobs.js";
import type { Command } from "./command.js";
import { findModel, loraOption, modelOption } from "./models.js";
import { say } from "./report.js";
import { placesFrom, storageFrom, storageOption } from "./serve.js";
import { threadsFrom, threadsOption } from "./threads.js";

/** Seconds in which a job may still be finished after a Ctrl-C. */
const grace = 10;

export const workerCommand: Command = {
  name: "worker",
  summary: "compose for 'hocket serve --queue'",
  options: {
    queue: { kind: "text", value: "URL", help: "of the Redis, such as redis://localhost:6379" },
    data: { kind: "text", value: "DIR", help: "the server's --data folder, as this machine sees it" },
    storage: storageOption,
    model: modelOption,
    lora: loraOption,
    codec: {
      kind: "text",
      value: "MODEL",
      help: "a codec besides the model's, for 'hocket data tokenize --queue'",
    },
    threads: threadsOption,
  },
  examples: [
    "hocket worker --queue redis://localhost:6379 --data /mnt/hocket --model facebook/musicgen-small",
    "hocket worker --queue redis://localhost:6379 --storage s3://bucket/hocket",
  ],
  patience: grace + 10,
  async run(given, signal) {
    const [url, data] = [given.text("queue"), given.text("data")];
    if (url === undefined) throw new HocketError("bad-request", "--queue: name the Redis that the server uses");
    const places = ["data", "storage"].filter((each) => given.text(each) !== undefined).length;
    if (places > 1 || (places === 0 && given.text("codec") === undefined))
      throw new HocketError(
        "bad-request",
        "name either --data, the folder that the server keeps its data in, or --storage, if it was started with one; or only a --codec to encode with",
      );
    const { threads } = threadsFrom(given);
    const storage = await storageFrom(given);
    const { places: models } = await placesFrom(given, signal);
    const codec = given.text("codec");
    const codecs = codec === undefined ? [] : [await placeOf(codec, signal)];
    const { startWorker } = await import("../server/redis-worker.js");
    const passing = storage === undefined ? undefined : await mkdtemp(join(tmpdir(), "hocket-worker-"));
    try {
      const worker = await startWorker({ url, data: data ?? passing, storage, models, codecs, threads, log: say });
      say("waiting for work (Ctrl-C ends it)");
      await new Promise<void>((resolve) =>
        signal.aborted ? resolve() : signal.addEventListener("abort", () => resolve()),
      );
      await worker.close(1000 * grace);
    } finally {
      if (passing !== undefined) await rm(passing, { recursive: true, force: true });
    }
  },
};

// --- internal ---

async function placeOf(codec: string, signal: AbortSignal): Promise<Place> {
  const { folder, name } = await findModel(codec, signal);
  return { name, path: folder.location };
}
