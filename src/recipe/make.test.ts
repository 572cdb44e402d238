import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { decodeAudio } from "../audio/decode.js";
import { readManifest } from "../data/manifest.js";
import { findFonts } from "./fonts.js";
import type { Labels } from "./labels.js";
import { jobsOf, type MakeEvent, type MakeOptions, make } from "./make.js";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const place = mkdtempSync(join(tmpdir(), "hocket-make-"));
after(() => rmSync(place, { recursive: true }));

let options: Omit<MakeOptions, "folder">;
before(async () => {
  const fonts = await findFonts();
  options = { clips: 4, seconds: 1, seed: 3, shares: [0.5, 0.25, 0.25], fonts, channels: 1, threads: 2, resume: false };
});

async function made(name: string, more: Partial<MakeOptions> = {}, signal?: AbortSignal): Promise<MakeEvent[]> {
  const events: MakeEvent[] = [];
  for await (const event of make({ ...options, folder: join(place, name), ...more }, signal)) events.push(event);
  return events;
}

/** Every file of a data set, by name. */
function contents(name: string): Map<string, string> {
  const folder = join(place, name);
  const files = (readdirSync(folder, { recursive: true }) as string[])
    .filter((file) => /\.|LICENCES/.test(file))
    .sort();
  return new Map(files.map((file) => [file, readFileSync(join(folder, file)).toString("base64")]));
}

test("a data set holds what its manifest says, and says where it came from", async () => {
  const events = await made("whole");
  assert.deepEqual(
    events.map(({ type }) => type),
    ["plan", ...Array(4).fill("clip"), "done"],
  );
  const folder = join(place, "whole");
  const entries = await readManifest(folder);
  assert.equal(entries.length, 4);
  assert.deepEqual(entries.map(({ split }) => split).sort(), ["test", "train", "train", "valid"]);
  for (const entry of entries) {
    const sound = await decodeAudio(readFileSync(join(folder, entry.path)), entry.path);
    assert.equal(sound.sampleRate, entry.sample_rate);
    assert.deepEqual(
      sound.channels.map(({ length }) => length),
      [entry.duration * entry.sample_rate],
    );
    const labels = entry.labels as Labels;
    assert.ok(entry.info.description && entry.captions!.length >= 3);
    assert.equal(
      labels.drums,
      labels.parts.some(({ role, notes }) => role === "drums" && notes > 0),
    );
    for (const [at, duration] of labels.melody) assert.ok(at >= 0 && duration >= 0 && at + duration <= 1.001);
    for (const part of labels.parts) assert.equal(part.font === null, part.synth !== null);
  }
  assert.match(
    readFileSync(join(folder, "DATA-LICENCES"), "utf8"),
    /MuseScore_General_Lite: MIT(.|\n)*sonivox: Apache-2.0/,
  );
  assert.deepEqual(readdirSync(folder).sort(), ["DATA-LICENCES", "audio", "data.jsonl", "recipe.json"]);
});

test("one thread makes the bytes that two make; another seed makes others", async () => {
  await made("single", { threads: 1 });
  assert.deepEqual(contents("single"), contents("whole"));
  await made("other", { seed: 4, clips: 2 });
  const [ours, theirs] = [contents("whole"), contents("other")];
  for (const [file, bytes] of theirs) if (file.endsWith(".flac")) assert.notEqual(bytes, ours.get(file));
});

test("what an interrupted run made is gone on with, whatever the interruption damaged", async () => {
  const folder = join(place, "halves");
  const controller = new AbortController();
  const stopped = (async () => {
    for await (const event of make({ ...options, folder, threads: 1 }, controller.signal))
      if (event.type === "clip" && event.done === 3) controller.abort(new Error("enough"));
  })();
  await assert.rejects(stopped, /enough/);
  const manifest = join(folder, "data.jsonl");
  const lines = readFileSync(manifest, "utf8").split("\n");
  assert.equal(lines.length, 4, "three lines, and nothing after them");

  await assert.rejects(made("halves"), /holds a data set: add --resume/);
  await assert.rejects(made("halves", { resume: true, seed: 9 }), /other settings \(seed 3, now 9\)/);
  await assert.rejects(made("halves", { resume: true, clips: 7 }), /clips 4, now 7/);

  const damages: [expected: number, () => void][] = [
    [2, () => writeFileSync(manifest, lines.join("\n").slice(0, -40))],
    [1, () => writeFileSync(manifest, [lines[0], "\u0000\u0000{", lines[2], ""].join("\n"))],
    [0, () => rmSync(join(folder, "audio/000000.flac"))],
  ];
  for (const [expected, damage] of damages) {
    damage();
    const [plan] = await made("halves", { resume: true, threads: 1 });
    assert.ok(plan?.type === "plan" && plan.done === expected, `${expected} clips are there`);
    assert.deepEqual(contents("halves"), contents("whole"));
    writeFileSync(manifest, lines.join("\n"));
  }
  writeFileSync(join(folder, "recipe.json"), "{");
  await assert.rejects(made("halves", { resume: true, threads: 1 }), /recipe.json is damaged/);
});

test("a clip's seed is of its own use: no larger set trains on what a smaller one tests with", () => {
  const seeds = (clips: number, split: string) =>
    jobsOf({ ...options, clips })
      .filter((job) => job.split === split)
      .map(({ seed }) => seed);
  const trained = new Set(seeds(3000, "train"));
  for (const clips of [3, 10, 100, 3000])
    for (const split of ["valid", "test"]) {
      assert.ok(seeds(clips, split).length > 0);
      assert.ok(seeds(clips, split).every((seed) => !trained.has(seed) && Number.isSafeInteger(seed)));
    }
  assert.deepEqual(seeds(30, "test"), seeds(3000, "test").slice(0, seeds(30, "test").length));
  const all = jobsOf({ ...options, clips: 3000 });
  assert.equal(new Set(all.map(({ seed }) => seed)).size, 3000);
  assert.deepEqual(
    all.map(({ path }) => path),
    all.map(({ path }) => path).toSorted(),
  );
});

test("what cannot be played or written is said before anything is made", async () => {
  const missing = { name: "x", path: join(place, "nothing.sf2"), weight: 1, licence: "", notice: "" };
  await assert.rejects(made("none", { fonts: [missing] }), /nothing.sf2 does not exist/);
  const broken = join(place, "broken.sf2");
  writeFileSync(broken, "RIFF, or not");
  await assert.rejects(made("broken", { fonts: [{ ...missing, path: broken }] }), /broken.sf2 is not a SoundFont/);
  for (const name of ["none", "broken"]) assert.ok(!existsSync(join(place, name)));
  await assert.rejects(made("huge", { clips: 1e6, seconds: 60 }), /huge needs about .* GB, and its disk has/);
});

// --- the command ---

const hocket = join(root, "bin/hocket.js");
const run = (...args: string[]) => {
  try {
    const stdout = execFileSync(process.execPath, [hocket, "data", "make", ...args], {
      encoding: "utf8",
      stdio: "pipe",
    });
    return { status: 0, stdout, stderr: "" };
  } catch (error) {
    return error as { status: number; stdout: string; stderr: string };
  }
};

test("the command makes what the library makes, and refuses what makes no sense", () => {
  const folder = join(place, "command");
  const { status, stdout } = run(
    "--clips",
    "4",
    "--seconds",
    "1",
    "--seed",
    "3",
    "--split",
    "50/25/25",
    "--out",
    folder,
    "--json",
  );
  assert.equal(status, 0);
  assert.deepEqual(JSON.parse(stdout), { folder, clips: 4, hours: 4 / 3600, train: 2, valid: 1, test: 1 });
  assert.deepEqual(contents("command"), contents("whole"));
  for (const [args, message] of [
    [["--out", folder], /either --hours or --clips/],
    [["--out", folder, "--clips", "2", "--split", "50/50"], /--split: "50\/50" is not three percentages/],
    [["--out", folder, "--clips", "2", "--font", join(place, "no.sf2")], /no.sf2 does not exist/],
    [["--out", folder, "--clips", "2", "extra"], /one word too many/],
  ] as const) {
    const { status, stderr } = run(...args);
    assert.equal(status, 2);
    assert.match(stderr, message);
    assert.equal(stderr.trim().split("\n").length, 1);
  }
});

test("Ctrl-C keeps what was made", { skip: process.platform === "win32" }, async () => {
  const folder = join(place, "stopped");
  const child = spawn(process.execPath, [hocket, "data", "make", "--clips", "500", "--seconds", "1", "--out", folder]);
  let said = "";
  child.stderr.on("data", (text) => (said += text));
  const ended = new Promise((resolve) => child.on("exit", resolve));
  while (!existsSync(join(folder, "audio/000001.flac"))) await new Promise((resolve) => setTimeout(resolve, 50));
  child.kill("SIGINT");
  assert.equal(await ended, 130);
  assert.match(said, /keeps what was made: go on with --resume/);
  const entries = await readManifest(folder);
  assert.ok(entries.length >= 1);
  for (const { path } of entries) assert.ok(existsSync(join(folder, path)));
  assert.ok(readdirSync(join(folder, "audio")).every((name) => /^\d{6}\.flac$/.test(name)));
});

test("where the fonts are not installed, the command says what to install", () => {
  const bare = join(place, "bare");
  mkdirSync(join(bare, "node_modules"), { recursive: true });
  cpSync(join(root, "dist/src"), join(bare, "dist/src"), { recursive: true });
  cpSync(join(root, "bin"), join(bare, "bin"), { recursive: true });
  cpSync(join(root, "package.json"), join(bare, "package.json"));
  for (const name of readdirSync(join(root, "node_modules")))
    if (!/^\.|^spessasynth_core$|^@librescore$|^@coderline$/.test(name))
      symlinkSync(join(root, "node_modules", name), join(bare, "node_modules", name), "junction");
  const outcome = (() => {
    try {
      return execFileSync(
        process.execPath,
        [join(bare, "bin/hocket.js"), "data", "make", "--clips", "1", "--out", join(bare, "x")],
        {
          encoding: "utf8",
          stdio: "pipe",
        },
      );
    } catch (error) {
      return (error as { stderr: string }).stderr;
    }
  })();
  assert.match(
    outcome,
    /@librescore\/sf3 is not installed.*npm install.*spessasynth_core @librescore\/sf3 @coderline\/alphatab/,
  );
  assert.ok(!existsSync(join(bare, "x")));
});

test("fonts can be given alone, so that a data set sounds like no other", async () => {
  const own = "/somewhere/own.sf2";
  assert.deepEqual(
    (await findFonts([own], true)).map(({ name }) => name),
    ["own.sf2"],
  );
  assert.ok((await findFonts([own])).length > 1);
});
