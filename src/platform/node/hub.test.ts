import assert from "node:assert/strict";
import { mkdir, readdir, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { COMMIT, gitId, type Hub, ID, model, sha256, startHub, weights } from "../../../test/fake-hub.js";
import { HocketError } from "../../errors.js";
import { cachedModel, type PullEvent, type PullOptions, pull } from "./hub.js";

async function collect(events: AsyncIterable<PullEvent>): Promise<PullEvent[]> {
  const all: PullEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

const waits: number[] = [];
const pullFrom = (hub: Hub, options: PullOptions = {}, name = ID) =>
  collect(pull(name, { environment: hub.environment, wait: async (ms) => waits.push(ms), ...options }));

/** Every file and link below a folder, with what it is. */
async function tree(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isSymbolicLink()) found[path.slice(folder.length + 1)] = `-> ${await readlink(path)}`;
    else if (entry.isFile()) found[path.slice(folder.length + 1)] = `${(await stat(path)).size} bytes`;
  }
  return found;
}

const rejects = (work: Promise<unknown>, code: string, message: RegExp) =>
  assert.rejects(work, (error: unknown) => {
    assert(error instanceof HocketError, String(error));
    assert.match(error.message, message);
    assert.equal(error.code, code);
    assert(!error.message.includes("\n"));
    return true;
  });

test("a model is fetched into the layout that Python writes, and the second time nothing is", async () => {
  const hub = await startHub();
  const events = await pullFrom(hub);
  const blobs = ["README.md", "config.json", "spiece.model"].map((name) => [name, gitId(model[name]!)] as const);
  const expected: Record<string, string> = { "refs/main": "40 bytes" };
  for (const [name, blob] of [...blobs, ["model.safetensors", sha256(weights)] as const]) {
    expected[`blobs/${blob}`] = `${model[name]!.length} bytes`;
    expected[`snapshots/${COMMIT}/${name}`] = `-> ../../blobs/${blob}`;
  }
  assert.deepEqual(await tree(hub.folder), expected);
  assert.equal(await readFile(join(hub.folder, "refs/main"), "utf8"), COMMIT);
  for (const name of Object.keys(model).filter((name) => name !== "flax_model.msgpack"))
    assert.deepEqual(await readFile(join(hub.folder, "snapshots", COMMIT, name)), model[name]);
  assert.deepEqual(await readdir(join(hub.cache, ".locks", "models--owner--tiny")), []);

  assert.deepEqual(
    events.flatMap((event) => (event.type === "file" ? [event.name] : [])),
    [...blobs.map(([name]) => name), "model.safetensors"],
  );
  const progress = events
    .filter((event) => event.type === "progress")
    .filter(({ name }) => name === "model.safetensors");
  assert(progress.length > 1);
  assert.deepEqual(progress.at(-1), {
    type: "progress",
    name: "model.safetensors",
    received: weights.length,
    size: weights.length,
  });
  const done = events.at(-1)!;
  assert(done.type === "done");
  assert.equal(done.folder.location, join(hub.folder, "snapshots", COMMIT));

  hub.log.length = 0;
  const again = await pullFrom(hub);
  assert.deepEqual(hub.log, [`GET /api/models/${ID}/revision/main`]);
  assert(again.every((event) => event.type === "done" || (event.type === "file" && event.cached)));
});

test("the token goes to the hub and to nobody else, and nothing is asked for compressed", async () => {
  const hub = await startHub();
  await pullFrom(hub);
  for (const [i, line] of hub.log.entries()) {
    assert.equal(hub.headers[i]!.authorization, line.startsWith("cdn") ? undefined : "Bearer secret", line);
    assert.equal(hub.headers[i]!["accept-encoding"], "identity");
  }
  assert(hub.log.includes("cdn GET /model.safetensors"));
});

test("a broken connection goes on where it stopped", async () => {
  const hub = await startHub({ cuts: [1_000_000, 500_000, 1] });
  waits.length = 0;
  await pullFrom(hub);
  assert.deepEqual(await readFile(join(hub.folder, "blobs", sha256(weights))), weights);
  const asked = hub.log.flatMap((line, i) => (line.startsWith("cdn") ? [hub.headers[i]!.range] : []));
  assert.equal(asked.length, 4);
  assert.equal(asked[0], undefined);
  const resumed = asked.slice(1).map((range) => Number(/^bytes=(\d+)-$/.exec(range!)![1]));
  assert(
    resumed.every((from, i) => from > 0 && from >= (resumed[i - 1] ?? 0)),
    String(asked),
  );
  assert(hub.sent() < 1.9 * weights.length, "what had arrived was not sent again");
  assert.equal(waits.length, 3);
});

test("a server that sends whole files only is given another chance from the start", async () => {
  const hub = await startHub({ cuts: [1_000_000], ranges: false });
  await pullFrom(hub);
  assert.deepEqual(await readFile(join(hub.folder, "blobs", sha256(weights))), weights);
});

test("a connection that breaks at every attempt is given up, kept, and taken up by the next run", async () => {
  const hub = await startHub({
    intercept: (request, response) =>
      /^\/owner.*model\.safetensors$/.test(request.url!) && request.method === "GET" && Boolean(response.destroy()),
  });
  waits.length = 0;
  await mkdir(join(hub.folder, "blobs"), { recursive: true });
  const partial = join(hub.folder, "blobs", `${sha256(weights)}.incomplete`);
  await writeFile(partial, weights.subarray(0, 2_900_000));
  await rejects(pullFrom(hub), "network", /cannot be reached: \S+; check the connection and repeat the command/);
  assert.equal(waits.length, 4);
  assert(
    waits.every((ms, i) => ms > (waits[i - 1] ?? 0)),
    "it waits longer each time",
  );
  assert.equal((await stat(partial)).size, 2_900_000);
  assert.equal(await cachedModel(ID, hub), undefined, "what is not complete is not a model");

  hub.behave({});
  await pullFrom(hub);
  assert.equal(hub.sent(), 100_000);
  assert.deepEqual(await readFile(join(hub.folder, "blobs", sha256(weights))), weights);
});

test("damaged bytes are an error that leaves nothing behind", async () => {
  const flipped = (bytes: Buffer) => Buffer.from(bytes).fill(0, 5, 6);
  for (const served of [flipped, (bytes: Buffer) => Buffer.concat([bytes, bytes])]) {
    const hub = await startHub({ served });
    await rejects(
      pullFrom(hub),
      "network",
      /model.safetensors of owner\/tiny arrived damaged .* and was removed: try again/,
    );
    assert(!(await readdir(join(hub.folder, "blobs"))).some((name) => name.startsWith(sha256(weights))));
    hub.behave({});
    await pullFrom(hub);
  }
  const hub = await startHub({
    intercept: (request, response) =>
      request.method === "GET" &&
      request.url!.endsWith("config.json") &&
      Boolean(response.end('{"model_type":"musicgem"}')),
  });
  await rejects(pullFrom(hub), "network", /config.json of owner\/tiny arrived damaged/);
});

test("a partial file that is longer than the file is thrown away", async () => {
  const hub = await startHub();
  await mkdir(join(hub.folder, "blobs"), { recursive: true });
  await writeFile(join(hub.folder, "blobs", `${sha256(weights)}.incomplete`), Buffer.alloc(4_000_000));
  await pullFrom(hub);
  assert.deepEqual(await readFile(join(hub.folder, "blobs", sha256(weights))), weights);
});

test("stopping leaves the partial file and nothing else unfinished", async () => {
  const hub = await startHub();
  const stop = new AbortController();
  const reason = new Error("enough");
  const run = async () => {
    for await (const event of pull(ID, { environment: hub.environment, signal: stop.signal }))
      if (event.type === "progress" && event.name === "model.safetensors") stop.abort(reason);
  };
  await assert.rejects(run(), (error) => error === reason);
  const left = Object.keys(await tree(hub.cache)).filter(
    (path) => path.includes(sha256(weights)) || path.includes("refs") || path.includes(".locks"),
  );
  assert.deepEqual(left, [`models--owner--tiny/blobs/${sha256(weights)}.incomplete`]);
});

test("refusals say what to do", async () => {
  const answering = (status: number, code?: string, path = "") =>
    startHub({
      intercept: (request, response) =>
        request.url!.includes(path) &&
        Boolean(response.writeHead(status, code && ({ "x-error-code": code } as never)).end("{}")),
    });
  await rejects(
    pullFrom(await answering(401, "GatedRepo", "resolve")),
    "network",
    /accept its licence at http:\S+\/owner\/tiny with the account of your token/,
  );
  const anonymous = await answering(403, "GatedRepo", "resolve");
  await rejects(
    pullFrom(anonymous, { environment: { ...anonymous.environment, HF_TOKEN: "" } }),
    "network",
    /accept its licence at \S+ and set HF_TOKEN/,
  );
  await rejects(
    pullFrom(await answering(401, "RepoNotFound")),
    "bad-request",
    /has no model owner\/tiny: check the spelling$/,
  );
  await rejects(
    pullFrom(await startHub(), {}, "owner/other"),
    "bad-request",
    /has no model owner\/other: check the spelling/,
  );
  await rejects(
    pullFrom(await answering(404, "RevisionNotFound"), {}, `${ID}@v2`),
    "bad-request",
    /owner\/tiny has no revision v2/,
  );
  await rejects(pullFrom(await answering(500)), "network", /answers 500; check the connection/);
  await rejects(pullFrom(await answering(200)), "network", /does not answer as a model hub does: check HF_ENDPOINT/);
  await rejects(pullFrom(await startHub(), { files: ["none"] }), "bad-request", /has no file none at revision main/);
  const { "model.safetensors": _, ...rest } = model;
  const pickled = await startHub({ files: { ...rest, "pytorch_model.bin": weights } });
  await rejects(pullFrom(pickled), "unsupported", /no model.safetensors at revision main \(only pytorch_model.bin\)/);
  const nobody = await startHub();
  nobody.environment.HF_ENDPOINT = "http://127.0.0.1:1";
  await rejects(pullFrom(nobody), "network", /127.0.0.1:1 cannot be reached/);
});

test("shards are fetched as the index says, and the model is there when all of them are", async () => {
  const index = Buffer.from(
    JSON.stringify({ weight_map: { a: "model-1.safetensors", b: "model-2.safetensors", c: "model-1.safetensors" } }),
  );
  const { "model.safetensors": _, ...rest } = model;
  const files = {
    ...rest,
    "model.safetensors.index.json": index,
    "model-1.safetensors": weights,
    "model-2.safetensors": weights.subarray(9),
  };
  const hub = await startHub({ files });
  await pullFrom(hub);
  assert.deepEqual(
    (await (await cachedModel(ID, hub))!.list()).filter((name) => name.startsWith("model-")),
    ["model-1.safetensors", "model-2.safetensors"],
  );
  await rm(join(hub.folder, "snapshots", COMMIT, "model-2.safetensors"));
  assert.equal(await cachedModel(ID, hub), undefined);

  const astray = Buffer.from(JSON.stringify({ weight_map: { a: "../../x" } }));
  const bad = await startHub({ files: { ...files, "model.safetensors.index.json": astray, "../../x": weights } });
  await rejects(pullFrom(bad), "bad-request", /has no file \.\.\/\.\.\/x/);
});

test("two at once fetch one file once", async () => {
  const hub = await startHub();
  const options = { environment: hub.environment, wait: () => new Promise((done) => setTimeout(done, 5)) };
  const runs = await Promise.all([pullFrom(hub, options), pullFrom(hub, options)]);
  assert.equal(hub.sent(), weights.length);
  assert(runs.some((events) => events.some(({ type }) => type === "waiting")));
  assert(runs.every((events) => events.at(-1)!.type === "done"));
});
