import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, test } from "node:test";
import { musicFolder } from "../../test/music-folder.js";
import { dataFolder, mini, type Serving, serving } from "../../test/serving.js";
import type { RunEvent } from "./train-client.js";
import { LogReader } from "./train-diary.js";
import { ProblemBody } from "./wire.js";

const elsewhere = mkdtempSync(join(tmpdir(), "hocket-elsewhere-"));
after(() => rmSync(elsewhere, { recursive: true, force: true }));
const root = musicFolder();
const outside = musicFolder();
symlinkSync(outside, join(root, "away"));
symlinkSync(join(outside, "songs", "a.wav"), join(root, "songs", "linked.wav"));
writeFileSync(join(outside, "secret.txt"), "secret words");
symlinkSync(join(outside, "secret.txt"), join(root, "songs", "told.txt"));
writeFileSync(join(root, "songs", "told.wav"), readFileSync(join(root, "songs", "a.wav")));
mkdirSync(join(root, ".hidden"));

const data = dataFolder();
const s = await serving({ data, music: [root] });
const { training } = s.client;

async function folderNamed(name: string): Promise<string> {
  const [top] = (await training.folders()).folders;
  return (await training.folders(top!.id)).folders.find((each) => each.name === name)!.id;
}

/** The folder when it was listened through. */
async function listened(on: Serving, folder: string) {
  let music = await on.client.training.listen(folder);
  for (; music.state === "listening"; music = await on.client.training.music(music.id))
    await new Promise((resolve) => setTimeout(resolve, 50));
  return music;
}

async function refused(response: Promise<Response>, status: number, detail: RegExp): Promise<void> {
  const answer = await response;
  const problem = ProblemBody.parse(await answer.json());
  assert.deepEqual([answer.status, problem.status], [status, status], problem.detail);
  assert.match(problem.detail, detail);
}

const run = <T extends object>(more: T) => ({
  name: "mine",
  steps: 6,
  batch: 1,
  seconds: 0.5,
  rank: 2,
  prompts: ["bells"],
  ...more,
});

test("folders are shown by name, below those that the server was started with, and by nothing but the ids it hands out", async () => {
  const first = await training.folders();
  assert.deepEqual([first.path, first.folders.map(({ name }) => name)], [[], [basename(root)]]);
  const top = await training.folders(first.folders[0]!.id);
  assert.deepEqual(
    top.folders.map(({ name, sounds }) => [name, sounds]),
    [
      ["empty", 0],
      ["songs", 7],
    ],
  );
  assert.deepEqual(
    top.path.map(({ name }) => name),
    [basename(root)],
  );
  const inside = await training.folders(top.folders[1]!.id);
  assert.deepEqual(
    inside.path.map(({ name }) => name),
    [basename(root), "songs"],
  );
  assert.ok(!JSON.stringify([first, top, inside]).includes(root), "where it lies is told to nobody");
});

test("what was not handed out is refused, and so are paths, links, and folders that are gone", async () => {
  for (const folder of ["0".repeat(32), "f".repeat(32)]) {
    await refused(s.ask("GET", `/v1/training/folders?folder=${folder}`), 404, /no such folder/);
    await refused(s.ask("POST", "/v1/training/music", { folder }), 400, /folder: there is no such folder/);
  }
  for (const folder of ["..", "../../etc", "/etc", root, "%2e%2e", ""]) {
    await refused(s.ask("GET", `/v1/training/folders?folder=${encodeURIComponent(folder)}`), 400, /folder/);
    await refused(s.ask("POST", "/v1/training/music", { folder }), 400, /folder/);
  }
  await refused(s.ask("GET", `/v1/training/folders?path=${root}`), 400, /path/);
  const [empty, moved] = [join(root, "empty"), join(elsewhere, "moved")];
  const id = await folderNamed("empty");
  rmSync(empty, { recursive: true });
  symlinkSync(outside, empty);
  await refused(s.ask("GET", `/v1/training/folders?folder=${id}`), 404, /no such folder/);
  await refused(s.ask("POST", "/v1/training/music", { folder: id }), 400, /no such folder/);
  rmSync(empty);
  mkdirSync(empty);
  mkdirSync(moved);
});

test("a server that others can reach offers folders only if it was told which, and never hidden ones", async () => {
  const exposed = await serving({ host: "0.0.0.0", token: "12345678", music: undefined });
  const authorization = { authorization: "Bearer 12345678" };
  for (const [method, path, body] of [
    ["GET", "/v1/training/folders"],
    ["POST", "/v1/training/music", { folder: "0".repeat(32) }],
    ["POST", "/v1/training/runs", run({ music: "0".repeat(32) })],
  ] as const)
    await refused(exposed.ask(method, path, body, authorization), 403, /started without folders .* --music/);
  await refused(exposed.ask("GET", "/v1/training/folders"), 401, /Bearer/);
  const own = await serving({ music: undefined });
  assert.equal((await own.client.training.folders()).folders[0]!.name, basename(realpathSync(homedir())));
  await assert.rejects(serving({ music: [join(root, "none")] }), /--music .*none is no folder/);
});

test("a folder is listened through: what is there, and what is wrong with the rest", async () => {
  const music = await listened(s, await folderNamed("songs"));
  assert.equal(music.state, "ready", music.error?.detail);
  assert.deepEqual([music.name, music.recordings, music.left_out, music.described], ["songs", 4, 4, 1]);
  assert.deepEqual(music.words, ["slow bells"]);
  const reasons = Object.fromEntries(music.problems.map(({ file, reason }) => [file, reason]));
  assert.match(reasons["broken.wav"]!, /WAV/i);
  assert.match(reasons["short.wav"]!, /^it is too short/);
  assert.equal(reasons["linked.wav"], "it is a link to a file elsewhere");
  assert.equal(reasons["told.wav"], "the words beside it: it is a link to a file elsewhere");
  assert.ok(!JSON.stringify(music).includes("secret"));

  const empty = await listened(s, await folderNamed("empty"));
  assert.deepEqual([empty.state, empty.error?.status], ["failed", 422]);
  assert.match(empty.error!.detail, /^empty holds no sound files/);
  await refused(s.ask("POST", "/v1/training/runs", run({ music: empty.id })), 400, /music: /);
  assert.deepEqual(
    (await training.musics()).map(({ name }) => name),
    ["empty", "songs"],
  );
  await training.removeMusic(empty.id);
  await refused(s.ask("GET", `/v1/training/music/${empty.id}`), 404, /no music/);
});

test("a run learns, is stopped, goes on, is heard, and is a model like any other", async () => {
  const [music] = await training.musics();
  const ordered = await training.train(run({ music: music!.id, steps: 12, batch: 2, seconds: 2 }));
  const events: RunEvent[] = [];
  for await (const event of training.events(ordered.id)) {
    events.push(event);
    if (event.type === "numbers" && event.lines.length > 0) await training.stop(ordered.id);
  }
  const stopped = await training.run(ordered.id);
  assert.equal(stopped.state, "stopped", stopped.error?.detail);
  assert.ok(stopped.step >= 1 && stopped.step < 12, `${stopped.step}`);
  const seen = events.flatMap((event) => (event.type === "state" || event.type === "over" ? event.run.state : []));
  assert.deepEqual([...new Set(seen)], ["listening", "learning", "stopping", "stopped"]);
  assert.equal(events.at(-1)!.type, "over");

  await training.resume(ordered.id);
  const after: RunEvent[] = [];
  for await (const event of training.events(ordered.id)) after.push(event);
  const done = await training.run(ordered.id);
  assert.deepEqual([done.state, done.step, done.usable], ["done", 12, true], done.error?.detail);
  const lines = linesOf(after);
  assert.deepEqual(
    lines.filter(({ loss }) => loss !== undefined).map(({ step }) => step),
    Array.from({ length: 12 }, (_, i) => i + 1),
  );
  assert.ok(lines.some((line) => line["valid.loss"] !== undefined));
  const log = await s.ask("GET", done.urls.log);
  assert.equal(log.headers.get("content-type"), "application/x-ndjson");
  assert.deepEqual(
    (await log.text())
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line)),
    lines,
  );

  const samples = after.filter((event) => event.type === "samples");
  assert.deepEqual(samples.at(-1), { type: "samples", step: 12, samples: [{ index: 1, prompt: "bells" }] });
  assert.equal(await (await training.sample(done.id, 12, 1)).slice(0, 4).text(), "fLaC");
  await refused(s.ask("GET", `${done.urls.self}/sample.flac?step=12&index=2`), 404, /nothing was composed/);
  await refused(s.ask("GET", `${done.urls.self}/sample.flac?step=../1&index=1`), 400, /step/);

  const model = (await s.client.models()).data.find(({ name }) => name === "mine")!;
  assert.deepEqual([model.kind, model.run, model.licence], ["music", done.id, done.licence]);
  const asked = { prompt: "bells", duration: 0.5, seed: 1 };
  const [own, base] = await Promise.all(
    [{ ...asked, model: "mine" }, asked].map(async (request) => {
      const { id } = await s.client.finished((await s.client.create(request)).id);
      return new Uint8Array(await (await s.client.sound(id)).arrayBuffer());
    }),
  );
  assert.notDeepEqual(own!.subarray(-8000), base!.subarray(-8000), "what was learnt is heard");
  assert.ok(!JSON.stringify([done, events, after]).includes(data), "where things lie is told to nobody");
});

test("what cannot be is said of its field, before anything is made", async () => {
  const [music] = await training.musics();
  for (const [more, field] of [
    [{ music: "0".repeat(32) }, "music"],
    [{ name: "../mine" }, "name"],
    [{ name: "mini-reference" }, "name"],
    [{ name: "MINE" }, "name"],
    [{ model: "none" }, "model"],
    [{ what: "everything" }, "what"],
    [{ steps: 0 }, "steps"],
    [{ prompts: ["a\nb"] }, "prompts.0"],
    [{ out: "/tmp/x" }, "out"],
  ] as const) {
    const answer = await s.ask("POST", "/v1/training/runs", run({ name: "other", music: music!.id, ...more }));
    const problem = ProblemBody.parse(await answer.json());
    assert.deepEqual([answer.status, problem.field], [400, field], problem.detail);
  }
  assert.equal((await training.runs()).length, 1);
  await refused(s.ask("DELETE", `/v1/training/music/${music!.id}`), 409, /a run learns from it/);
  await refused(s.ask("DELETE", "/v1/models?name=mine"), 400, /trained here/);
});

test("runs take turns; a server that ends leaves them to be gone on with", async () => {
  const own = dataFolder();
  const first = await serving({ data: own, music: [root] });
  const music = await listened(
    first,
    (await first.client.training.folders((await first.client.training.folders()).folders[0]!.id)).folders[1]!.id,
  );
  const a = await first.client.training.train(run({ name: "a", music: music.id, steps: 5000 }));
  const b = await first.client.training.train(run({ name: "b", music: music.id, what: "whole" }));
  assert.deepEqual([b.state, b.position], ["waiting", 1]);
  for await (const event of first.client.training.events(a.id))
    if (event.type === "numbers" && event.lines.length > 0) break;
  await first.server.close(120_000);

  const second = await serving({ data: own, music: [root] });
  const [then, waited] = await Promise.all([a, b].map(({ id }) => second.client.training.run(id)));
  assert.deepEqual([then!.state, waited!.state, waited!.step], ["stopped", "stopped", 0]);
  assert.ok(then!.step >= 1 && then!.usable, "what it had learnt was saved");
  await second.client.training.remove(a.id);
  assert.ok(!readdirSync(join(own, "training", "runs")).includes(a.id));
  await second.client.training.resume(b.id);
  for await (const event of second.client.training.events(b.id))
    if (event.type === "over") assert.equal(event.run.state, "done", event.run.error?.detail);
  const names = (await second.client.models()).data.map(({ name }) => name);
  assert.deepEqual(names, [mini.name, "b"]);
  await second.server.close(0);

  const third = await serving({ data: own, music: [outside] });
  const c = run({ name: "c", music: music.id });
  await refused(third.ask("POST", "/v1/training/runs", c), 403, /lies in none that this server was started for/);
});

test("a log that is written anew is read from its beginning, and half a line when it is whole", async () => {
  const folder = mkdtempSync(join(elsewhere, "log-"));
  const log = join(folder, "log.jsonl");
  const reader = new LogReader(folder);
  assert.equal(await reader.more(), undefined);
  writeFileSync(log, '{"step":1}\n{"step":2}\n{"st');
  assert.deepEqual(await reader.more(), { at: 0, lines: [{ step: 1 }, { step: 2 }] });
  assert.equal(await reader.more(), undefined);
  const other = new LogReader(folder, reader.place);
  writeFileSync(log, '{"step":1}\n{"step":2}\n{"step":3}\n');
  assert.deepEqual(await other.more(), { at: 2, lines: [{ step: 3 }] });
  rmSync(log);
  writeFileSync(`${log}.new`, "");
  writeFileSync(log, '{"step":1}\n');
  assert.deepEqual(await other.more(), { at: 0, lines: [{ step: 1 }] });
});

/** The log as one has it who heard these events. */
function linesOf(events: readonly RunEvent[]): Readonly<Record<string, number>>[] {
  const lines: Readonly<Record<string, number>>[] = [];
  for (const event of events) if (event.type === "numbers") lines.splice(event.at, lines.length, ...event.lines);
  return lines;
}
