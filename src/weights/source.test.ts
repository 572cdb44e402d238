import assert from "node:assert/strict";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { PullEvent } from "#platform";
import { COMMIT, ID, model, sha256, startHub, weights } from "../../test/fake-hub.js";
import { memoryFolder } from "../../test/memory.js";
import { HocketError } from "../errors.js";
import { fetchModel, licenceOf, resolveModel } from "./source.js";

async function collect(events: AsyncIterable<PullEvent>): Promise<PullEvent[]> {
  const all: PullEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

const rejects = (work: Promise<unknown>, code: string, message: RegExp) =>
  assert.rejects(work, (error: unknown) => {
    assert(error instanceof HocketError, String(error));
    assert.match(error.message, message);
    assert.equal(error.code, code);
    assert(!error.message.includes("\n"));
    return true;
  });

test("what Python downloaded is found without the network", async () => {
  const hub = await startHub();
  const nowhere = { ...hub.environment, HF_ENDPOINT: "http://127.0.0.1:1" };
  const options = { environment: nowhere };
  await rejects(
    resolveModel(ID, options),
    "bad-request",
    /owner\/tiny is not on this machine: fetch it with 'hocket pull owner\/tiny'/,
  );
  const offline = { environment: { ...nowhere, HF_HUB_OFFLINE: "1" } };
  await rejects(collect(fetchModel(ID, offline)), "network", /is not in .*hub, and HF_HUB_OFFLINE/);

  const [blobs, snapshot] = [join(hub.folder, "blobs"), join(hub.folder, "snapshots", COMMIT)];
  for (const folder of [blobs, snapshot, join(hub.folder, "refs")]) await mkdir(folder, { recursive: true });
  await writeFile(join(hub.folder, "refs", "main"), COMMIT);
  for (const name of ["config.json", "model.safetensors"]) {
    await rejects(resolveModel(ID, options), "bad-request", /is not on this machine/);
    await writeFile(join(blobs, sha256(model[name]!)), model[name]!);
    await symlink(`../../blobs/${sha256(model[name]!)}`, join(snapshot, name));
  }
  const folder = await resolveModel(ID, options);
  const file = (await folder.open("model.safetensors"))!;
  assert.deepEqual(Buffer.from(await file.read(0, file.size)), weights);
  await file.close();
  assert.equal((await resolveModel(`${ID}@${COMMIT}`, options)).location, folder.location);
  const events = await collect(fetchModel(ID, offline));
  assert.deepEqual(
    events.map(({ type }) => type),
    ["done"],
  );
  assert.equal((await resolveModel(snapshot)).location, snapshot);
  assert.deepEqual(hub.log, []);
});

test("a model that is not here is fetched on the way, and names that cannot be are refused", async () => {
  const hub = await startHub();
  const events = await collect(fetchModel(ID, { environment: hub.environment }));
  assert.equal(events.at(-1)!.type, "done");
  await rejects(resolveModel("./none"), "bad-file", /\.\/none does not exist/);
  for (const name of ["none", "a/b/c", "a/..", "a/b@../c", "a--b/c", ""])
    await rejects(resolveModel(name), "bad-request", /is neither a folder nor the name of a model/);
});

test("a licence is what the model's card says, or where it lies", async () => {
  const of = (files: Record<string, string>) =>
    licenceOf(
      memoryFolder(Object.fromEntries(Object.entries(files).map(([n, text]) => [n, new TextEncoder().encode(text)]))),
    );
  const card = (matter: string) => of({ "README.md": `---\n${matter}\n---\n# A model\nlicense: not-this\n` });
  assert.equal(await card("tags:\n- music\nlicense: cc-by-nc-4.0\nlanguage: en"), "cc-by-nc-4.0");
  assert.equal(await card("license: 'mit'"), "mit");
  assert.equal(await card("license: mit\r"), "mit");
  assert.equal(await card("license:\n- mit\n- apache-2.0\ntags:\n- x"), "mit, apache-2.0");
  assert.equal(await card("license: other\nlicense_name: stable-audio\nlicense_link: x"), "stable-audio");
  assert.equal(await card("license: other"), "other");
  assert.equal(await card("tags: x"), undefined);
  assert.equal(await of({ "README.md": "# No front matter\nlicense: mit\n" }), undefined);
  assert.equal(await of({ "README.md": "# None", "LICENSE.txt": "…" }), "see LICENSE.txt");
  assert.equal(await of({}), undefined);
});
