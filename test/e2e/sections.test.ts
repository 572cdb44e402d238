import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { readProvenance } from "../../src/audio/provenance.js";
import { sliceFrames } from "../../src/codes.js";
import { readCodes } from "../../src/codes-file.js";
import { memorySource } from "../memory.js";
import { folder, json, read, refuses, succeeds } from "./hocket.js";

const fileOf = (cwd: string, name: string) => readCodes(memorySource(name, read(cwd, name)));
const codesIn = async (cwd: string, name: string) => (await fileOf(cwd, name)).chunks[0]!.codes[0]!;

suite("sections, and parts composed anew", { concurrency: 2 }, () => {
  test("sections are the piece that the files say they are", async () => {
    const cwd = folder();
    const args = ["generate", "--section", "organ: slow:0.4", "--seed", "7"];
    const { stdout } = await succeeds([...args, "--section", "drums:0.4 s", "--codes", "a.st"], { cwd });
    assert.equal(stdout, "organ-slow-drums-7.wav\n");
    const made = readProvenance(read(cwd, "organ-slow-drums-7.wav"))!;
    assert.equal(made.prompt, "organ: slow → drums");
    assert.deepEqual(made.settings.sections, [
      { prompt: "organ: slow", duration: 0.4 },
      { prompt: "drums", duration: 0.4 },
    ]);
    assert.deepEqual(JSON.parse((await fileOf(cwd, "a.st")).metadata.sections!), made.settings.sections);
    await succeeds(["generate", "organ: slow", "--duration", "0.8", "--seed", "7", "--codes", "b.st"], { cwd });
    const [one, other] = [await codesIn(cwd, "a.st"), await codesIn(cwd, "b.st")];
    assert.deepEqual(sliceFrames(one, 0, 20), sliceFrames(other, 0, 20));
    assert.notDeepEqual(one, other);
  });

  test("a part of a take is composed anew, from its codes or from its sound", async () => {
    const cwd = folder();
    const take = [
      "generate",
      "bells",
      "--duration",
      "0.8",
      "--seed",
      "3",
      "-o",
      "take.wav",
      "--codes",
      "take.safetensors",
    ];
    await succeeds(take, { cwd });
    const part = ["--from", "0.2", "--to", "0.4", "--candidates", "2", "--json"];
    const args = [
      "generate",
      "drums",
      "--regenerate",
      "take.safetensors",
      "--codes",
      "new.st",
      "-o",
      "new.flac",
      ...part,
    ];
    const made = json<{ settings: { regenerated: object } }>(await succeeds(args, { cwd }));
    assert.deepEqual(made.settings.regenerated, { from: 0.2, to: 0.4, candidates: 2 });
    assert.deepEqual(readProvenance(read(cwd, "new.flac"))!.settings.regenerated, {
      from: 0.2,
      to: 0.4,
      candidates: 2,
    });
    const [old, now] = [await codesIn(cwd, "take.safetensors"), await codesIn(cwd, "new.st")];
    assert.deepEqual(sliceFrames(now, 0, 10), sliceFrames(old, 0, 10));
    assert.deepEqual(sliceFrames(now, 20), sliceFrames(old, 20));
    assert.notDeepEqual(now, old);
    const { stderr } = await succeeds(["generate", "drums", "--regenerate", "take.wav", ...part], { cwd });
    assert.match(stderr, /give its codes to keep the rest as it was/);
  });

  test("what cannot be is said in one line", async () => {
    const cwd = folder();
    for (const [args, message] of [
      [["--section", "slow piano"], /--section: "slow piano" has to end in a colon and its seconds, as "slow piano:8"/],
      [["--section", "a:1", "--section", "b:0"], /--section 2: 0 is too little/],
      [["x", "--section", "a:1"], /--section: each has words of its own/],
      [["--section", "a:1", "--duration", "3"], /--section: they last as long as they say/],
      [["x", "--from", "1"], /--from belongs to --regenerate/],
      [["x", "--regenerate", "none.wav", "--from", "1"], /--regenerate: say --from and --to/],
      [["x", "--regenerate", "none.safetensors", "--from", "1", "--to", "2"], /none.safetensors/],
    ] as const)
      await refuses(["generate", ...args], message, { cwd });
  });
});
