import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { writeWav } from "../../src/audio/write-wav.js";
import { openFile } from "../../src/platform/node.js";
import { readHeader, readTensor, writeSafetensors } from "../../src/weights/safetensors.js";
import { addNote, cadences, clicks, dice, harmony, mono, silence } from "../synthetic.js";
import { folder, hocket, miniModel } from "./hocket.js";

const seconds = 2;

/** 32 clips whose style, tempo, key and drums are known: 24 to learn from, 4 to test with, 4 to validate with. */
function dataSet(): string {
  const path = folder();
  mkdirSync(join(path, "audio"));
  const lines = Array.from({ length: 32 }, (_, i) => {
    const [bpm, tonic, drums] = [[80, 100, 120, 150][i % 4]!, (5 * i) % 12, i % 3 !== 0];
    const mode = i % 2 === 0 ? ("major" as const) : ("minor" as const);
    const sound = harmony(tonic, cadences[mode].slice(0, seconds), silence(seconds));
    if (drums) clicks(seconds, bpm, dice(i), sound);
    else addNote(sound, 0, seconds, 60 + tonic, 0.05);
    const file = `audio/${i}.wav`;
    writeFileSync(join(path, file), writeWav(mono(sound), { bits: 16 }));
    const style = drums ? "rock" : "ambient";
    const info = {
      title: null,
      artist: null,
      key: null,
      bpm,
      genre: style,
      moods: null,
      keywords: null,
      instrument: null,
    };
    const labels = {
      ...{ seed: i, style, bpm, tempo: [], key: tonic, mode, drums },
      parts: [{ role: "lead", family: drums ? "piano" : "strings", font: null, notes: 9 }],
    };
    const split = i < 24 ? "train" : i < 28 ? "test" : "valid";
    const description = `${style} at ${bpm} bpm in ${mode}`;
    return {
      path: file,
      duration: seconds,
      sample_rate: 16000,
      channels: 1,
      split,
      info: { ...info, description },
      labels,
    };
  });
  writeFileSync(join(path, "data.jsonl"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return path;
}

const data = dataSet();
const short = ["--seconds", `${seconds}`, "--threads", "1"];

test("a data set: what can be heard in it, also through a codec", async () => {
  const { code, stdout, stderr } = await hocket(["eval", data, "--codec", miniModel, "--json", ...short]);
  assert.equal(code, 0, stderr);
  const report = JSON.parse(stdout);
  assert.deepEqual([report.kind, report.taught, report.clips, report.sets.length], ["data", 24, 4, 2]);
  const [renders] = report.sets;
  assert.equal(renders.ceilings.drums.accuracy, 1);
  assert.ok(renders.ceilings.drums.chance < 0.8);
  assert.equal(readFileSync(join(data, "eval", "ceilings.json"), "utf8"), stdout);
  assert.match(
    readFileSync(join(data, "eval", "ceilings.md"), "utf8"),
    /^# What can be heard in true renders\n[\s\S]*\| drums /,
  );
});

test("a model: control, swaps, distance; composed once, and kept beside it", async () => {
  const model = folder();
  for (const name of readdirSync(miniModel)) copyFileSync(join(miniModel, name), join(model, name));
  const few = ["--prompts", "3", "--swaps", "1", "--tests", "4", "--batch", "4"];
  assert.equal((await hocket(["data", "tokenize", data, "--codec", model])).code, 0);
  const args = ["eval", model, "--data", data, ...few, ...short];
  const { code, stdout, stderr } = await hocket(args);
  assert.equal(code, 0, stderr);
  for (const what of ["tempo", "drums", "mode", "genre", "lead", "Mean of", "Fréchet", "Cross-entropy of held-out"])
    assert.ok(stdout.includes(what), `${what} is missing from:\n${stdout}`);
  const report = JSON.parse(readFileSync(join(model, "eval.json"), "utf8"));
  assert.deepEqual([report.kind, report.prompts, Object.keys(report.swaps).length], ["lm", 3, 4]);
  assert.equal(report.surprise.told.length, 4);
  assert.ok(report.surprise.told.every((value: number) => value > 0 && value < 12));
  assert.ok(report.repeats.made.stretches === 0 || report.repeats.made.exact < 0.5);
  const kept = () => readdirSync(join(model, "eval")).filter((name) => name.startsWith("composed-"));
  assert.equal(kept().length, 3); // 3 prompts, and 4 pairs of them in two batches
  assert.equal((await hocket(args)).stdout, stdout);
  assert.equal(kept().length, 3);
});

test("a codec: what it keeps of held-out clips, and the published numbers of others where none can be measured", async () => {
  const codec = folder();
  const file = await openFile(join(miniModel, "model.safetensors"));
  const { tensors } = await readHeader(file);
  const own = [...tensors.keys()].filter((name) => name.startsWith("audio_encoder."));
  const read = own.map(async (name) => [name.slice(14), await readTensor(file, tensors.get(name)!)] as const);
  writeFileSync(join(codec, "model.safetensors"), writeSafetensors(Object.fromEntries(await Promise.all(read))));
  await file.close();
  const { audio_encoder } = JSON.parse(readFileSync(join(miniModel, "config.json"), "utf8"));
  writeFileSync(join(codec, "config.json"), JSON.stringify(audio_encoder));
  const noFfmpeg = { env: { PATH: folder() } };
  const { code, stdout, stderr } = await hocket(["eval", codec, "--data", data, ...short], noFfmpeg);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /held-out renders +\| +4 \|/);
  const { sets, anchors } = JSON.parse(readFileSync(join(codec, "eval.json"), "utf8"));
  const { mean, codebooks, clips } = sets[0];
  assert.ok(mean.siSnr > -10 && mean.siSnr < 30 && mean.mel > 0.05 && mean.mel < 2 && mean.lsd > 0, stdout);
  assert.equal(codebooks.length, 4);
  assert.ok(Math.abs(clips.reduce((sum: number, { mel }: { mel: number }) => sum + mel / 4, 0) - mean.mel) < 1e-9);
  assert.deepEqual(anchors[1], { name: "Opus 8 kbit/s", kept: { siSnr: 6.8, mel: 1.03, lsd: 4.14 }, published: true });
});

test("what is no data set, has no labels, or names no judge is refused in one line", async () => {
  const bare = folder({ "data.jsonl": "" });
  for (const [args, says] of [
    [["eval", "nowhere"], /nowhere/],
    [["eval", bare], /data\.jsonl/],
    [["eval", miniModel], /--data/],
    [["eval", data, "--tests", "0"], /--tests/],
  ] as const) {
    const { code, stderr, stdout } = await hocket(args);
    assert.equal(code, 2, stderr);
    assert.match(stderr, says);
    assert.equal(stderr.trim().split("\n").length, 1, stderr);
    assert.equal(stdout, "");
  }
});
