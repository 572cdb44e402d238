import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { repositoryFile } from "../../test/golden.js";
import { musicFolder } from "../../test/music-folder.js";
import { dataFolder, serving } from "../../test/serving.js";
import { readWav } from "../audio/wav.js";
import { sampleCount } from "../audio/waveform.js";
import { problems } from "./problems.js";
import { usualLimits } from "./wire.js";

const page = readFileSync(repositoryFile("docs/server.md"), "utf8");
const music = musicFolder();
const s = await serving({ music: [join(music, "songs")] });
const folder = dataFolder();
const blocks = (language: string) => {
  const found = [...page.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "gs"))].map(([, code]) => code!);
  return found.map((code) => code.replaceAll("http://localhost:7860", s.url));
};

test("the page's commands run as they are written", async () => {
  const written = blocks("sh");
  assert.ok(written.length >= 3);
  for (const code of written) await promisify(execFile)("bash", ["-ec", code], { cwd: folder });
  const sound = (name: string) => readWav(readFileSync(join(folder, name)));
  assert.equal(sampleCount(sound("piano.wav")), 2 * 16000);
  assert.equal(sampleCount(sound("decoded.wav")), 2 * 16000);
  const { state, settings, tags } = JSON.parse(readFileSync(join(folder, "more.json"), "utf8"));
  assert.deepEqual([state, settings.continued, settings.duration, tags], ["done", true, 3, ["strings"]]);
  const part = JSON.parse(readFileSync(join(folder, "part.json"), "utf8"));
  assert.deepEqual([part.state, part.settings.duration, part.settings.regenerated.to], ["done", 2, 0.8]);
});

test("the page's programs run as they are written", async () => {
  const [program, learning] = blocks("ts");
  assert.match(await printed(program!), /^(from sample \d+ on: \d+ samples\n)+seed \d+\n1 audio\/mpeg\n$/);
  assert.match(await printed(learning!), /^4 recordings, 2 left out: .+\ndone: mine\n$/);
});

test("the page's numbers are the server's", () => {
  const { seconds, pieces, waitingOfOne, waiting, together, uploadBytes, uploadSeconds } = usualLimits;
  const flat = page.replace(/\s+/g, " ");
  for (const said of [
    `${seconds} s and ${pieces} pieces a generation`,
    `${uploadBytes / 2 ** 20} MB and ${uploadSeconds} s a file`,
    `${waitingOfOne} waiting generations of one client, ${waiting} in all`,
    `up to ${["", "one", "two", "three", "four"][together]} pieces`,
    `gets ${problems["key-reused"][0]}`,
    `Full means ${problems["too-many"][0]}`,
  ])
    assert.ok(flat.includes(said), said);
});

async function printed(program: string): Promise<string> {
  const file = repositoryFile(`dist/server-doc-${process.pid}.mjs`);
  writeFileSync(file, program);
  try {
    return (await promisify(execFile)(process.execPath, [file], { cwd: repositoryFile("") })).stdout;
  } finally {
    rmSync(file);
  }
}
