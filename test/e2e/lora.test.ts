import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { openFile } from "#platform";
import { decodeAudio } from "../../src/audio/decode.js";
import { isAdapted } from "../../src/train/lora.js";
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
