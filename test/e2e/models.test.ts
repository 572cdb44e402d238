import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, suite, test } from "node:test";
import { writeWav } from "../../src/audio/write-wav.js";
import { openFolder } from "../../src/platform/node.js";
import { openCheckpoint } from "../../src/weights/checkpoint.js";
import { writeSafetensors } from "../../src/weights/safetensors.js";
import { COMMIT, ID, startHub } from "../fake-hub.js";
import { writeRandomModel } from "../random-model.js";
import { folder, hocket, json, miniModel, modelFolder, read, refuses, succeeds } from "./hocket.js";

const [melody, stereo] = [folder(), folder()];
before(async () => {
  await writeRandomModel(melody, "melody");
  await writeRandomModel(stereo, "stereo");
});

const tone = (hertz: number) =>
  writeWav(
    {
      sampleRate: 22_050,
      channels: [Float32Array.from({ length: 22_050 }, (_, n) => 0.5 * Math.sin((2 * Math.PI * hertz * n) / 22_050))],
    },
    { bits: 16 },
  );
const short = ["--duration", "0.5", "--seed", "1"];

suite("models", { concurrency: 2 }, () => {
  test("a melody is followed by a model that hears one", async () => {
    const cwd = folder({ "d.wav": tone(293.66), "e.wav": tone(329.63) });
    for (const name of ["d", "e"]) {
      const args = ["generate", "bells", ...short, "--model", melody, "--melody", `${name}.wav`];
      const run = await succeeds([...args, "-o", `${name}-out.wav`, "--codes", `${name}.st`, "--json"], { cwd });
      assert.equal(json<{ settings: { melody: boolean } }>(run).settings.melody, true);
    }
    assert.notDeepEqual(read(cwd, "d.st").subarray(-400), read(cwd, "e.st").subarray(-400));
  });

  test("a melody is refused by a model that hears none, which names those that do", async () => {
    const cwd = folder({ "d.wav": tone(293.66), "none.wav": "", "text.wav": "words" });
    const args = (file: string) => ["generate", "bells", ...short, "--melody", file];
    await refuses(args("d.wav"), /mini-reference has no melody input: use facebook\/musicgen-melody or/, { cwd });
    await refuses(args("none.wav"), /none.wav: the file is empty/, { cwd });
    await refuses(args("text.wav"), /text.wav: it is a text file, not audio/, { cwd });
    await refuses(args("nowhere.wav"), /nowhere.wav does not exist/, { cwd });
  });

  test("a stereo model makes two channels, from and to codes", async () => {
    const cwd = folder();
    const args = ["generate", "bells", ...short, "--model", stereo, "-o", "a.wav", "--codes", "a.st", "--json"];
    const made = json<{ pieces: { channels: number }[] }>(await succeeds(args, { cwd }));
    assert.equal(made.pieces[0]!.channels, 2);
    await succeeds(["decode", "a.st", "--model", stereo, "-o", "b.wav"], { cwd });
    const encoded = await succeeds(["encode", "b.wav", "--model", stereo, "-o", "b.st", "--json"], { cwd });
    assert.equal(json<{ codebooks: number }>(encoded).codebooks, 8);
    await refuses(["decode", "a.st", "-o", "c.wav"], /the codes have 8 codebooks, and mini-reference decodes up to 4/, {
      cwd,
    });
    const { stdout } = await succeeds(["inspect", stereo]);
    assert.match(stdout, /codebooks: 8\n {2}channels: 2\n/);
  });

  test("a model in shards is the model in one file", async () => {
    const checkpoint = await openCheckpoint(await openFolder(miniModel));
    const names = [...checkpoint.tensors.keys()];
    const shards = await Promise.all(
      [names.filter((_, i) => i % 2 === 0), names.filter((_, i) => i % 2 === 1)].map(async (half) =>
        Object.fromEntries(await Promise.all(half.map(async (name) => [name, await checkpoint.read(name)] as const))),
      ),
    );
    await checkpoint.close();
    const fileOf = (i: number) => `model-0000${i + 1}-of-00002.safetensors`;
    const map = Object.fromEntries(shards.flatMap((shard, i) => Object.keys(shard).map((name) => [name, fileOf(i)])));
    const sharded = modelFolder({
      "model.safetensors": undefined,
      "model.safetensors.index.json": JSON.stringify({ metadata: {}, weight_map: map }),
      ...Object.fromEntries(shards.map((shard, i) => [fileOf(i), writeSafetensors(shard)])),
    });
    const cwd = folder();
    await succeeds(["generate", "bells", ...short, "-o", "one.wav", "--codes", "one.st"], { cwd });
    await succeeds(["generate", "bells", ...short, "--model", sharded, "-o", "two.wav", "--codes", "two.st"], { cwd });
    assert.deepEqual(read(cwd, "one.st").subarray(-400), read(cwd, "two.st").subarray(-400));
    writeFileSync(join(sharded, fileOf(1)), "");
    await refuses(["generate", "x", "--model", sharded], /00002.safetensors: 0 bytes are too few/);
  });

  test("a codec alone is inspected and encodes, and cannot compose", async () => {
    const codec = folder();
    const { audio_encoder } = JSON.parse(readFileSync(join(miniModel, "config.json"), "utf8"));
    const checkpoint = await openCheckpoint(await openFolder(miniModel));
    const names = [...checkpoint.tensors.keys()].filter((name) => name.startsWith("audio_encoder."));
    const tensors = await Promise.all(names.map((name) => checkpoint.read(name)));
    await checkpoint.close();
    writeFileSync(join(codec, "config.json"), JSON.stringify({ ...audio_encoder, model_type: "encodec" }));
    const weights = Object.fromEntries(names.map((name, i) => [name.replace("audio_encoder.", ""), tensors[i]!]));
    writeFileSync(join(codec, "model.safetensors"), writeSafetensors(weights));
    const cwd = folder({ "d.wav": tone(293.66) });
    await succeeds(["encode", "d.wav", "--model", codec, "-o", "a.st"], { cwd });
    await succeeds(["encode", "d.wav", "-o", "b.st"], { cwd });
    assert.deepEqual(read(cwd, "a.st").subarray(-400), read(cwd, "b.st").subarray(-400));
    assert.match((await succeeds(["inspect", codec])).stdout, /^kind: codec\nlicence: not stated\n/);
    await refuses(["generate", "x", "--model", codec], /is a codec: it encodes and decodes, and cannot compose/);
  });

  test("a model of the hub is fetched once, kept, and found without the network", async () => {
    const names = ["config.json", "generation_config.json", "tokenizer.json", "README.md", "model.safetensors"];
    const files = Object.fromEntries(names.map((name) => [name, readFileSync(join(miniModel, name))]));
    const hub = await startHub({ files });
    const env = hub.environment;
    const pulled = await succeeds(["pull", ID], { env });
    assert.equal(pulled.stdout, `${join(hub.folder, "snapshots", COMMIT)}\n`);
    assert.match(pulled.stderr, /^fetching model.safetensors \(22.4 MB\)\nmodel owner\/tiny: licence cc0-1.0\n$/);
    const asked = hub.log.length;
    for (const offline of ["0", "1"]) {
      const there = { env: { ...env, HF_HUB_OFFLINE: offline } };
      const run = await succeeds(["generate", "bells", ...short, "--model", ID], there);
      assert.match(run.stderr, /^model owner\/tiny: licence cc0-1.0\nbells-1.wav: /);
    }
    await succeeds(["inspect", ID], { env });
    assert.equal(hub.log.length, asked, "the network was asked for a model that is here");
  });

  test("what the hub cannot give is said in one line", async () => {
    const hub = await startHub();
    const run = async (args: string[], env: Record<string, string>, code: number, message: RegExp) => {
      const { stderr, ...result } = await hocket(args, { env });
      assert.match(stderr, message);
      assert.match(stderr, /^[^\n]+\n$/);
      assert.equal(result.code, code);
      assert.deepEqual(result.files, []);
    };
    const cache = folder();
    mkdirSync(join(cache, "hub"));
    await Promise.all([
      run(
        ["generate", "x", "--model", "owner/other"],
        hub.environment,
        2,
        /has no model owner\/other: check the spelling/,
      ),
      run(["pull", "owner/x"], { HF_HOME: cache, HF_HUB_OFFLINE: "1" }, 1, /HF_HUB_OFFLINE forbids to fetch it/),
      run(
        ["pull", "owner/x"],
        { HF_HOME: cache, HF_ENDPOINT: "nowhere" },
        2,
        /HF_ENDPOINT is "nowhere", which is no address/,
      ),
      run(
        ["generate", "x", "--model", "a/b"],
        { HF_HOME: cache, HF_ENDPOINT: "http://127.0.0.1:9" },
        1,
        /cannot be reached/,
      ),
      run(
        ["inspect", "owner/x"],
        { HF_HOME: cache },
        2,
        /owner\/x is not on this machine: fetch it with 'hocket pull owner\/x'/,
      ),
      run(["pull", "tiny"], {}, 2, /"tiny" is not the name of a model/),
      run(["pull", ""], {}, 2, /"" is not the name of a model/),
    ]);
  });
});
