/** @file The studio in a real browser: words that change along a take, and a part of a take composed anew. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { codes, sliceFrames } from "../../src/codes.js";
import { readCodes } from "../../src/codes-file.js";
import { repositoryFile } from "../golden.js";
import { memorySource } from "../memory.js";
import { serving } from "../serving.js";
import { open } from "./browser.js";

const shared = await serving({ studio: repositoryFile("studio/dist") });
const codesOf = async (id: string, piece = 0) =>
  (await readCodes(memorySource("codes", new Uint8Array(await shared.client.codes(id))))).chunks[0]!.codes[piece]!;

test("words change along a timeline that is dragged, typed and walked with keys, and stay over a reload", async () => {
  const { page, picture } = await open(shared.url);
  await page.fill("#prompt", "dark organ, slow");
  await picture("make-words");
  await page.getByLabel("Length", { exact: true }).fill("3");
  await page.getByRole("button", { name: "Other words later on" }).click();
  await page.getByLabel("Words of section 2").fill("fast happy chiptune with four on the floor drums");
  const seconds = (section: number) => page.getByLabel(`Seconds of section ${section}`);
  assert.deepEqual([await seconds(1).inputValue(), await seconds(2).inputValue()], ["1.5", "1.5"]);
  await seconds(2).fill("2,5");
  await page.keyboard.press("Tab");

  const boundary = page.getByRole("slider", { name: "Where section 2 begins" });
  await boundary.focus();
  await page.keyboard.press("ArrowLeft");
  assert.deepEqual([await seconds(1).inputValue(), await seconds(2).inputValue()], ["1", "3"]);
  const { x, y, width } = (await page.locator(".timeline").boundingBox())!;
  await boundary.hover();
  await page.mouse.down();
  await page.mouse.move(x + (2 / 4) * width, y, { steps: 4 });
  await page.mouse.up();
  assert.equal(await boundary.getAttribute("aria-valuetext"), "2.0 seconds");

  await page.getByRole("button", { name: "Another section" }).click();
  assert.equal(await seconds(3).inputValue(), "2");
  await page.locator("[aria-label='Words of section 3']:focus").waitFor(); // in the next frame
  await page.keyboard.type("bells");
  await picture("make-sections");
  await page.getByRole("button", { name: "Dark colours" }).click();
  await picture("make-sections-dark");
  await page.reload();
  assert.equal(await page.getByLabel("Words of section 3").inputValue(), "bells");
  await page.getByRole("button", { name: "Without section 3" }).click();
  await seconds(1).fill("0.6");
  await seconds(2).fill("0.5");
  await page.getByLabel("Words of section 2").press("Enter");
  await page.locator(".stage.done").waitFor();
  await picture("make-sections-done");
  const [take] = (await shared.client.list()).data;
  assert.deepEqual(take?.request.sections, [
    { prompt: "dark organ, slow", duration: 0.6 },
    { prompt: "fast happy chiptune with four on the floor drums", duration: 0.5 },
  ]);
  await page.goto(`${shared.url}/#takes/${take!.id}`);
  await page.getByText("dark organ, slow, 0.6 s; fast happy").waitFor();

  await page.goto(`${shared.url}/#make`);
  await page.getByRole("button", { name: "Without section 2" }).click();
  assert.equal(await page.locator("#prompt").inputValue(), "dark organ, slow");
  assert.equal(await page.getByLabel("Length", { exact: true }).inputValue(), "1.1");
});

test("a part is chosen on the waveform and composed anew, and the rest stays", async () => {
  const made = await shared.client.create({ prompt: "bells", duration: 1, seed: 1 });
  await shared.client.finished(made.id);
  const { page, picture } = await open(`${shared.url}/#takes/${made.id}`);
  await page.locator(".take .surfer").waitFor();
  const regenerate = page.getByRole("button", { name: "Regenerate" });
  assert.ok(await regenerate.isDisabled(), "no part is chosen yet");
  const { x, y, width, height } = (await page.locator(".take .surfer").boundingBox())!;
  await page.mouse.move(x + 0.4 * width, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + 0.6 * width, y + height / 2, { steps: 5 });
  await page.mouse.up();
  await page.getByLabel("Start of the part").fill("0.4");
  await page.getByLabel("End of the part").fill("0.6");
  await page.keyboard.press("Tab");
  await picture("takes-part");
  await regenerate.click();
  await page.getByText("Composes a part anew of").waitFor();
  assert.equal(await page.locator("#prompt").inputValue(), "bells");
  await picture("make-region");
  await page.fill("#prompt", "drums");
  await page.press("#prompt", "Enter");
  await page.locator(".stage.done").waitFor();
  const [child] = (await shared.client.list({ parent: made.id })).data;
  assert.deepEqual(child?.settings?.regenerated, { from: 0.4, to: 0.6, candidates: 4 });
  const [old, now] = [await codesOf(made.id), await codesOf(child!.id)];
  const around = (grid: typeof old) => codes([...sliceFrames(grid, 0, 20), ...sliceFrames(grid, 30)]);
  assert.deepEqual(around(now), around(old));
  assert.notDeepEqual(now, old);
  await page.goto(`${shared.url}/#takes/${child!.id}`);
  await page.getByText("0.4 to 0.6 s, the best of 4").waitFor();
  assert.deepEqual(await page.locator(".lineage small").allTextContents(), ["a part anew"]);
  await picture("takes-region");
});

test("sections fit on a phone", async () => {
  const { page, picture } = await open(shared.url, {
    viewport: { width: 360, height: 780 },
    hasTouch: true,
    isMobile: true,
    colorScheme: "dark",
  });
  await picture("phone-words");
  await page.fill("#prompt", "a slow and lonely piano in a large hall, far away");
  await page.getByRole("button", { name: "Other words later on" }).tap();
  await page.getByRole("button", { name: "Another section" }).tap();
  await page.getByLabel("Words of section 2").fill("drums and a warm bass come in");
  await picture("phone-sections");
  const [wide, room] = (await page.evaluate("[document.documentElement.scrollWidth, innerWidth]")) as [number, number];
  assert.ok(wide <= room, `${wide} pixels wide on a screen of ${room}`);
});
