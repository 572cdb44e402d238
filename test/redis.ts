/** @file For tests: a Redis of their own, if this machine has one, and workers in processes that can be killed. */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createServer } from "node:net";
import { after } from "node:test";
import type { WorkerOptions } from "../src/server/redis-worker.js";
import { repositoryFile } from "./golden.js";
import { mini } from "./serving.js";

const children = new Set<ChildProcess>();
after(() => {
  for (const child of children) child.kill("SIGKILL");
});

const isInstalled = (() => {
  try {
    execFileSync("redis-server", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();
export const skip = isInstalled ? false : "there is no redis-server on this machine";

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export async function redis(): Promise<string> {
  const port = await freePort();
  const child = spawn("redis-server", ["--port", `${port}`, "--bind", "127.0.0.1", "--save", ""], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  children.add(child);
  await new Promise<void>((resolve) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (text.includes("Ready to accept connections")) resolve();
    });
  });
  return `redis://127.0.0.1:${port}`;
}

/** A worker in a process of its own, that can be killed; a second without a sign of it and its job goes to another. */
export function worker(
  options: Pick<WorkerOptions, "url" | "data">,
  storage?: string,
  environment: Record<string, string> = {},
): ChildProcess {
  const program = `
    import { startWorker } from ${JSON.stringify(repositoryFile("dist/src/server/redis-worker.js"))};
    import { openS3 } from ${JSON.stringify(repositoryFile("dist/src/server/s3.js"))};
    const options = ${JSON.stringify({ ...options, models: [mini], threads: 1, patience: 1500 })};
    const storage = ${storage === undefined ? undefined : `await openS3(${JSON.stringify(storage)}, process.env)`};
    await startWorker({ ...options, storage, log: () => {} });
    process.stdout.write("ready");`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...environment },
  });
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
}
