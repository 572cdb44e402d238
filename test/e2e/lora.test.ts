import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { openFile, openFolder } from "#platform";
import { decodeAudio } from "../../src/audio/decode.js";
import { codecBase } from "../../src/train/codec-base.js";
import { writeCodec } from "../../src/train/codec-files.js";
import { isAdapted } from "../../src/train/lora.js";
import { toFloat32 } from "../../src/weights/float32.js";
import { writeAdapter } from "../../src/weights/lora.js";
import { readHeader, readTensor } from "../../src/weights/safetensors.js";
import { randomFactors } from "../adapters.js";
import { folder, hocket, json, miniModel, modelFolder, read, refuses, succeeds } from "./hocket.js";

const file = await openFile(join(miniModel, "model.safetensors"));
const { tensors } = await readHeader(file);
const shapes = [...tensors].flatMap(([name, { shape }]) => (isAdapted(name) ? [[name, shape] as const] : []));

/** A folder with an adapter for the bundled model in `mine`. */
async function withAdapter(base = "mini-reference", weights: Parameters<typeof randomFactors>[0] = shapes) {
  const cwd = folder();
  mkdirSync(join(cwd, "mine"));
  await writeAdapter(join(cwd, "mine"), { base, rank: 4, alpha: 1, factors: randomFactors(weights, 4) });
  return cwd;
}
const sing = ["generate", "bells", "--duration", "0.2", "--seed", "3", "--loudness", "none", "--bits", "32"];
const sung = async (cwd: string, name: string, ...words: string[]) => {
  await succeeds([...sing, "-o", name, "--codes", `${name}.st`, ...words], { cwd });
  return (await decodeAudio(read(cwd, name), name)).channels[0]!;
};
const codesIn = async (cwd: string, name: string) => {
  const codes = await openFile(join(cwd, name));
  const { tensors } = await readHeader(codes);
  const read = await readTensor(codes, tensors.get("codes")!);
  await codes.close();
  return read;
};

suite("adapters", { concurrency: 2 }, () => {
  test("a run's folder, its adapter on the base, and the merged model sing the same; at strength 0 the base sings", async () => {
    const cwd = await withAdapter();
    const base = await sung(cwd, "base.wav");
    assert.deepEqual(await sung(cwd, "none.wav", "--lora", "mine:0"), base);
    const adapted = await sung(cwd, "adapted.wav", "--lora", "mine");
    assert.notDeepEqual(adapted, base);
    assert.deepEqual(await sung(cwd, "run.wav", "--model", "mine"), adapted);
    assert.deepEqual(await sung(cwd, "halves.wav", "--lora", "mine:0.5", "--lora", "mine:0.5"), adapted);

    const made = json<object>(await succeeds(["merge", "mine", "--out", "whole", "--json"], { cwd }));
    assert.deepEqual(made, { model: "mine", changed: shapes.length, folder: "whole" });
    assert.deepEqual(await sung(cwd, "whole.wav", "--model", "whole"), adapted);
    assert.deepEqual(readdirSync(join(cwd, "whole")).sort(), readdirSync(miniModel).sort());
    const merged = await openFile(join(cwd, "whole", "model.safetensors"));
    const written = await readHeader(merged);
    for (const [name, entry] of tensors) {
      const now = written.tensors.get(name)!;
      assert.equal(now.dtype, isAdapted(name) ? "float32" : entry.dtype);
      if (!isAdapted(name)) assert.deepEqual(await readTensor(merged, now), await readTensor(file, entry));
    }
    await merged.close();
    await refuses(["merge", "mine", "--out", "whole"], /^whole exists and is not empty/, { cwd });
  });

  test("a model of half the size, and one with another decoder, sing nearly the same codes and others' sound", async () => {
    const cwd = folder();
    await succeeds(["merge", miniModel, "--half", "--out", "half"], { cwd });
    const halved = await openFile(join(cwd, "half", "model.safetensors"));
    const written = await readHeader(halved);
    const { halves, kept } = { halves: [] as number[], kept: [] as number[] };
    for (const [name, entry] of tensors) {
      const now = written.tensors.get(name)!;
      if (entry.dtype !== "float32") kept.push(Number(now.dtype === entry.dtype));
      else halves.push(Number(now.dtype === "float16"));
      const [before, after] = [toFloat32(await readTensor(file, entry)), toFloat32(await readTensor(halved, now))];
      for (const [i, value] of before.data.entries())
        assert.ok(Math.abs(after.data[i]! - value) <= Math.abs(value) / 2048 + 2 ** -25, `${name}[${i}]`);
    }
    assert.ok(halves.length > 100 && halves.every((one) => one === 1) && kept.every((one) => one === 1));
    await halved.close();
    const [whole, half] = [
      await sung(cwd, "whole.wav", "--model", miniModel),
      await sung(cwd, "half.wav", "--model", "half"),
    ];
    assert.equal(half.length, whole.length);

    // The model's own codec but for its last convolution: the same codes, other sound.
    const base = await codecBase(await openFolder(miniModel));
    const weights = Object.fromEntries(base.weights);
    const last = Object.keys(weights)
      .filter((name) => /^decoder\..*weight_g$/.test(name))
      .sort()
      .at(-1)!;
    const louder = toFloat32(weights[last]!);
    mkdirSync(join(cwd, "louder"));
    await writeCodec(join(cwd, "louder"), base.config, {
      ...weights,
      [last]: { ...louder, data: (louder.data as Float32Array).map((value) => 2 * value) },
    });
    await succeeds(["merge", miniModel, "--codec", "louder", "--out", "swapped"], { cwd });
    assert.notDeepEqual(await sung(cwd, "swapped.wav", "--model", "swapped"), whole);
    assert.deepEqual(await codesIn(cwd, "swapped.wav.st"), await codesIn(cwd, "whole.wav.st"));

    mkdirSync(join(cwd, "stranger"));
    const first = "encoder.layers.0.conv.weight_g";
    const turned = toFloat32(weights[first]!);
    await writeCodec(join(cwd, "stranger"), base.config, {
      ...weights,
      [first]: { ...turned, data: (turned.data as Float32Array).map((value) => 2 * value) },
    });
    await refuses(
      ["merge", miniModel, "--codec", "stranger", "--out", "no"],
      /encoder\.layers\.0\.conv\.weight_g of stranger differs from the model's, .* --only-decoder/,
      { cwd },
    );
  });

  test("what does not fit is refused in one line", async () => {
    const cwd = await withAdapter();
    await refuses([...sing, "--lora", "mine:much"], /--lora: "much" is not a strength/, { cwd });
    await refuses([...sing, "--lora", "yours"], /yours/, { cwd });
    await refuses([...sing, "--lora", modelFolder({})], /has no adapter_config\.json: give the folder of an adapter/, {
      cwd,
    });
    await refuses(["merge", "mine"], /merge needs --out/, { cwd });
    await refuses(["merge", miniModel, "--out", "out"], /there is nothing to merge with/, { cwd });
    const nowhere = await hocket(["merge", "mine", "--out", "no/such/out"], { cwd });
    assert.match(nowhere.stderr, /^no\/such\/out could not be made \(ENOENT\): write elsewhere\n$/);
    assert.deepEqual([nowhere.code, nowhere.files], [1, ["mine"]]);
    const other = await withAdapter("mini-reference", [[shapes[0]![0], [8, 8]]]);
    await refuses([...sing, "--lora", "mine"], /mine changes .* of shape \[8, 8\], and mini-reference \+ mine has \[/, {
      cwd: other,
    });
    const lost = await withAdapter("./gone");
    await refuses([...sing, "--model", "mine"], /mine is an adapter of \.\/gone: .* say it: --model BASE --lora mine/, {
      cwd: lost,
    });
    await sung(lost, "found.wav", "--lora", "mine");
    const circle = await withAdapter("./mine");
    await refuses([...sing, "--model", "mine"], /is an adapter and does not say of which model/, { cwd: circle });
    const config = JSON.parse(readFileSync(join(cwd, "mine", "adapter_config.json"), "utf8"));
    writeFileSync(join(cwd, "mine", "adapter_config.json"), JSON.stringify({ ...config, r: 5 }));
    await refuses([...sing, "--lora", "mine"], /says that the rank is 5/, { cwd });
  });
});
