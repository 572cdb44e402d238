/** @file Training in the studio, in a real browser: from a folder to a model that one composes with. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { repositoryFile } from "../golden.js";
import { musicFolder } from "../music-folder.js";
import { serving } from "../serving.js";
import { open } from "./browser.js";

const studio = repositoryFile("studio/dist");
const phone = { viewport: { width: 360, height: 780 }, hasTouch: true, isMobile: true, colorScheme: "dark" } as const;

test("a folder is chosen, a model learns from it, is stopped, goes on, is heard and used", async () => {
  const s = await serving({ studio, music: [musicFolder()] });
  const { page, picture, loudest } = await open(s.url);
  const button = (name: string | RegExp) => page.getByRole("button", { name, exact: true });
  await page.keyboard.press("4");
  await page.getByRole("heading", { name: "Teach it your music" }).waitFor();
  await button(/^songs/).click();
  await button("Listen through “songs”").waitFor();
  await picture("train-folders");
  await button("Listen through “songs”").click();

  await page.getByText("2 files were left out").waitFor();
  await page.getByText("broken.wav").waitFor();
  await page.getByText("it is too short (0.20 s; at least 1 s)").waitFor();
  const fact = (name: string) => page.locator(".facts div", { hasText: name }).locator("dd").textContent();
  assert.deepEqual([await fact("Recordings"), await fact("With words")], ["4", "1"]);

  await page.getByLabel("Call the result").fill("no/slash");
  await button("Start learning").click();
  await page.getByRole("alert").waitFor();
  await page.getByLabel("Call the result").fill("mine");
  await button("More").click();
  for (const [label, value] of [
    ["Steps", "20"],
    ["Rank", "2"],
    ["Clips a step", "2"],
    ["Of each", "2"],
  ] as const) {
    await page.getByLabel(label, { exact: true }).fill(value);
    await page.keyboard.press("Tab");
  }
  await picture("train-plan");
  await button("Start learning").click();

  await page.locator(".run-state.learning").waitFor();
  const curve = page.getByRole("img", { name: /^while it learns: [\d.]+ at step 1, [\d.]+ at step \d+/ });
  await curve.waitFor();
  await button("Stop").click();
  await page.locator(".run-state.stopped").waitFor();
  const stoppedAt = Number(/step (\d+) of 20/.exec((await page.locator(".run-state").textContent())!)![1]);
  assert.ok(stoppedAt >= 1 && stoppedAt < 20, `stopped at ${stoppedAt}`);
  await picture("train-stopped");
  await page.reload();
  await curve.waitFor();
  await button("Go on").click();
  await page.getByText("done: 20 steps").waitFor({ timeout: 300_000 });
  assert.match((await curve.getAttribute("aria-label"))!, /at step 20/);

  const docs = readFileSync(repositoryFile("docs/training.md"), "utf8").replaceAll("`", "");
  const words = await page.locator(".number dd span").allTextContents();
  assert.ok(words.length >= 10);
  for (const said of words) assert.ok(docs.includes(said), `docs/training.md does not say "${said}"`);

  await page.getByRole("button", { name: "slow bells, after 20 steps" }).click();
  while ((await loudest()) < 0.001) await page.waitForTimeout(50);
  assert.ok((await loudest()) <= 1);
  await page.getByRole("link", { name: "slow bells, after 20 steps" }).waitFor();
  await picture("train-done");
  await page.evaluate("document.documentElement.dataset.theme = 'dark'");

  await button("Use in Make").click();
  await page.fill("#prompt", "slow bells");
  await page.getByLabel("Length", { exact: true }).fill("1");
  await page.press("#prompt", "Enter");
  await page.locator(".stage.done").waitFor();
  assert.equal((await s.client.list()).data[0]?.model, "mine");

  const [run] = await s.client.training.runs();
  const small = await open(s.url, phone);
  for (const at of ["", `/${run!.music.id}`, `/${run!.id}`]) {
    await small.page.goto(`${s.url}/#train${at}`);
    await small.page.locator(".browse, .facts.big, .numbers").first().waitFor();
    await small.picture(`phone-train${at === "" ? "" : at === `/${run!.id}` ? "-run" : "-found"}`);
    const [wide, room] = (await small.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")) as number[];
    assert.ok(wide! <= room!, `#train${at} is ${wide} pixels wide on a screen of ${room}`);
  }
});

test("a server that offers no folders says what to do, and the others are told that it is away", async () => {
  const s = await serving({ studio, music: [] });
  const { page, picture } = await open(`${s.url}/#train`);
  await page.getByText("hocket serve --music FOLDER").waitFor();
  await picture("train-closed");
  await s.server.close(0);
  await page.getByRole("alert").waitFor();
});
