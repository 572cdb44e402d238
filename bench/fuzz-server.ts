/**
 * @file Does the server keep its word? Sends it requests made at random from its own OpenAPI document, and reports how they
 * were answered; a status of 500 or more, one that the document does not say, or no answer ends it with an error.
 * Usage: node dist/bench/fuzz-server.js [requests] [seed]
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startServer } from "../src/server/serve.js";
import { fuzz } from "../test/fuzz.js";
import { repositoryFile } from "../test/golden.js";

const [count = 10_000, seed = 1] = process.argv.slice(2).map(Number);
const data = mkdtempSync(join(tmpdir(), "hocket-fuzz-"));
const server = await startServer({
  port: 0,
  data,
  models: [{ name: "mini-reference", path: repositoryFile("models/mini-reference") }],
  threads: 1,
  limits: { waitingOfOne: 8, waiting: 8 },
  software: "hocket 0.0.0",
  log: (line) => console.error(line),
});
const started = performance.now();
try {
  const seen = await fuzz(server.url, { count, seed, together: 16 });
  const seconds = (performance.now() - started) / 1000;
  console.log(JSON.stringify({ requests: count, seed, seconds, statuses: seen }));
} finally {
  await server.close(1000);
  rmSync(data, { recursive: true, force: true });
}
