/** @file What a worker does besides composing: encodes the sounds of `hocket data tokenize --queue`, with the codecs it has. */

import { deserialize } from "node:v8";
import type { Worker } from "bullmq";
import type { Clips } from "../data/tokenize.js";
import { HocketError } from "../errors.js";
import type { Engine } from "./engine.js";
import type { Place } from "./jobs.js";
import { clipsOf, loadRedis, tokensQueue } from "./redis.js";
import type { AtWork } from "./redis-worker.js";

/** One worker for each codec. */
export async function startEncoding({
  options,
  engine,
  redis,
  settings,
  handBack,
  closing,
}: AtWork): Promise<Worker[]> {
  const { bull } = await loadRedis();
  const workers: Worker[] = [];
  const known = new Set<string>();
  for (const model of [...options.models, ...(options.codecs ?? [])]) {
    const key = await keyOf(engine, model).catch((error: Error) => options.log(`${model.name}: ${error.message}`));
    if (key === undefined || known.has(key)) continue;
    known.add(key);
    const worker = new bull.Worker(
      tokensQueue(key),
      async (sent, token) => {
        const bytes = await redis.getBuffer(clipsOf(sent.id!));
        if (bytes === null) throw new bull.UnrecoverableError("its sounds are gone: nobody waited for them any more");
        try {
          const grids = await engine.call({ do: "tokens", model, clips: deserialize(bytes) as Clips });
          return (deserialize(grids!) as Int32Array[][]).map((rows) => rows.map((row) => [...row]));
        } catch (error) {
          if (closing()) return handBack(sent, token);
          if (error instanceof HocketError && error.code !== "internal")
            throw new bull.UnrecoverableError(error.message);
          throw error; // the process may have ended: another try may do better
        }
      },
      settings,
    );
    worker.on("error", () => {}); // the connection says it
    workers.push(worker);
  }
  return workers;
}

// --- internal ---

async function keyOf(engine: Engine, model: Place): Promise<string | undefined> {
  const key = await engine.call({ do: "token key", model });
  return key === undefined ? undefined : new TextDecoder().decode(key);
}
