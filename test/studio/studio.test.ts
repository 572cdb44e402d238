/** @file The studio in a real browser: what a person does with it, and what must not happen to them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { writeWav } from "../../src/audio/write-wav.js";
import { repositoryFile } from "../golden.js";
import { writeRandomModel } from "../random-model.js";
import { dataFolder, mini, serving } from "../serving.js";
import { open } from "./browser.js";

const studio = repositoryFile("studio/dist");
const melody = { name: "melody", path: dataFolder() };
await writeRandomModel(melody.path, "melody");
const shared = await serving({ studio, models: [mini, melody] });
const words = "fast happy chiptune with four on the floor drums";
const prompt = "#prompt";
const done = ".stage.done";

/** Sets the length of the next take, as a person would. */
async function setLength(page: Awaited<ReturnType<typeof open>>["page"], seconds: number): Promise<void> {
  await page.getByLabel("Length", { exact: true }).fill(`${seconds}`);
  await page.keyboard.press("Tab");
}

test("words become music that is seen while it is composed, and heard", async () => {
  const { page, heard, loudest, picture } = await open(shared.url);
  await picture("make-empty");
  await setLength(page, 2);
  await page.fill(prompt, words);
  await page.press(prompt, "Enter");
  await page.locator(".player").waitFor();
  await picture("make-composing");
  await page.locator(done).waitFor();
  await heard();
  assert.ok((await loudest()) <= 1);
  const label = await page.locator(".score").getAttribute("aria-label");
  assert.equal(label, "4 voices, 100 columns of codes");
  await picture("make-done");

  const [take] = (await shared.client.list()).data;
  assert.equal(take?.request.prompt, words);
  assert.equal(take?.request.duration, 2);
  assert.ok(page.url().endsWith(`#make/${take?.id}`), "the address says which take it is");
});

test("Escape stops composing, and the next order works", async () => {
  const { page } = await open(shared.url);
  await setLength(page, 60);
  await page.fill(prompt, words);
  await page.press(prompt, "Enter");
  await page.locator(".stage.running").waitFor();
  await page.keyboard.press("Escape");
  await page.locator(".stage.cancelled").waitFor();
  const [take] = (await shared.client.list()).data;
  assert.equal(take?.state, "cancelled");
  await setLength(page, 1);
  await page.press(prompt, "Enter");
  await page.locator(done).waitFor();
});

test("a reload in the middle loses neither the words nor the music", async () => {
  const { page, heard } = await open(shared.url);
  await setLength(page, 6);
  await page.fill(prompt, `${words}, again`);
  await page.press(prompt, "Enter");
  await page.locator(".stage.running").waitFor();
  await page.reload();
  await page.locator(done).waitFor();
  assert.equal(await page.locator(prompt).inputValue(), `${words}, again`);
  assert.match((await page.locator(".score").getAttribute("aria-label"))!, /^4 voices, 300 columns/);
  await page.keyboard.press(" ");
  await heard();
});

test("everything can be done with the keyboard", async () => {
  const { page } = await open(shared.url);
  await page.keyboard.press("/");
  await page.keyboard.type("dark organ, fast");
  await page.keyboard.press("Tab"); // to the ideas
  await page.locator(".ideas button:focus").first().waitFor();
  await page.getByLabel("Length", { exact: true }).focus();
  for (let i = 0; i < 4; i++) await page.keyboard.press("ArrowDown"); // 4 s to 2 s
  await page.keyboard.press("Enter");
  await page.locator(done).waitFor();
  await page.evaluate("document.activeElement.blur()");
  await page.keyboard.press("2");
  await page.locator(".take .surfer").waitFor();
  await page.keyboard.press("f");
  await page.getByRole("button", { name: "Favourite", exact: true, pressed: true }).waitFor();
  await page.keyboard.press("ArrowLeft");
  const pause = page.getByRole("button", { name: "Pause" }).first();
  await pause.waitFor({ state: "hidden" }); // what was composed has been heard
  await page.keyboard.press(" ");
  await pause.waitFor();
  await page.keyboard.press("?");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  const [take] = (await shared.client.list({ favourite: true })).data;
  assert.equal(take?.request.prompt, "dark organ, fast");
  assert.equal(take?.request.duration, 2);
});

test("ten thousand characters of HTML are words like any others", async () => {
  const { page, picture } = await open(shared.url);
  const nasty = `<img src=x onerror="document.title='broken in'"><script>document.title='broken in'</script>`;
  const text = nasty.repeat(Math.ceil(10_000 / nasty.length)).slice(0, 10_000);
  await setLength(page, 1);
  await page.fill(prompt, text);
  await page.press(prompt, "Enter");
  await page.locator(".status.problem").waitFor();
  assert.match((await page.locator(".status.problem").textContent())!, /^the prompt has \d+ tokens, and at most 4096/);

  await page.getByRole("link", { name: "Takes" }).click();
  await page.locator(".take .words").getByText(nasty).waitFor();
  const kept = await shared.client.create({
    prompt: "bells",
    title: nasty.slice(0, 200),
    tags: ["<b>x</b>"],
    duration: 1,
  });
  await shared.client.finished(kept.id);
  await page.goto(`${shared.url}/#takes/${kept.id}`);
  await page.reload();
  await page.locator(".take .surfer").waitFor();
  await picture("takes-html");
  assert.equal(await page.getByLabel("Title").inputValue(), nasty.slice(0, 200));
  assert.equal(await page.locator("img").count(), 0);
  assert.equal(await page.title(), "Hocket");
});

test("the server may go and come back", async () => {
  const data = dataFolder();
  const first = await serving({ studio, data });
  const { port } = first.server;
  const made = await first.client.create({ prompt: "bells", duration: 1 });
  await first.client.finished(made.id);
  const { page, picture } = await open(first.url);
  await page.locator(".latest li").waitFor();
  await first.server.close(0);
  await page.getByRole("alert").waitFor();
  await picture("make-lost");
  await page.fill(prompt, words); // what is written meanwhile stays
  await serving({ studio, data, port });
  await page.locator(".line.open").waitFor();
  await page.getByRole("alert").waitFor({ state: "detached" });
  assert.equal(await page.locator(prompt).inputValue(), words);
  await setLength(page, 1);
  await page.press(prompt, "Enter");
  await page.locator(done).waitFor();
});

test("on a phone nothing sticks out", async () => {
  const { page, picture } = await open(shared.url, {
    viewport: { width: 360, height: 780 },
    hasTouch: true,
    isMobile: true,
    colorScheme: "dark",
  });
  await page.locator(".latest li").first().waitFor();
  await page.locator(".latest a").first().click();
  await page.locator(".take .surfer").waitFor();
  const take = page.url().split("/").at(-1)!;
  for (const view of ["make", "takes", `takes/${take}`, "models", `compare/${take}`]) {
    await page.goto(`${shared.url}/#${view}`);
    await page.waitForTimeout(400);
    await picture(`phone-${view.split("/")[0]}${view.includes("/") ? "-one" : ""}`);
    const [wide, room] = (await page.evaluate("[document.documentElement.scrollWidth, innerWidth]")) as [
      number,
      number,
    ];
    assert.ok(wide <= room, `${view} is ${wide} pixels wide on a screen of ${room}`);
  }
});

test("two takes are compared blind, and the better one is saved as MP3", async () => {
  const { page, heard, picture } = await open(shared.url);
  const finished = (await shared.client.list({ state: "done" })).data;
  await page.goto(`${shared.url}/#compare/${finished[0]!.id}/${finished[1]!.id}`);
  await page.getByRole("button", { name: "Hear A" }).click();
  await heard(0.001);
  assert.equal(await page.getByText("seed").count(), 0, "nothing tells which is which");
  await page.keyboard.press("b");
  await page.getByRole("button", { name: "Hear B", pressed: true }).waitFor();
  await picture("compare");
  await page.getByRole("button", { name: "I prefer B" }).click();
  await page.getByText("You preferred B").waitFor();
  await page.getByRole("button", { name: "Open it" }).click();
  await page.locator(".take .surfer").waitFor();
  await picture("takes");
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "MP3" }).click()]);
  assert.match(file.suggestedFilename(), /\.mp3$/);
});

test("a take is continued, and its descent is told", async () => {
  const { page } = await open(shared.url);
  const parent = await shared.client.create({ prompt: "bells", duration: 1 });
  await shared.client.finished(parent.id);
  await page.goto(`${shared.url}/#takes/${parent.id}`);
  await page.reload();
  await page.locator(".take .surfer").waitFor();
  await page.getByRole("button", { name: "Continue" }).click();
  await setLength(page, 2);
  await page.press(prompt, "Enter");
  await page.locator(done).waitFor();
  const [child] = (await shared.client.list({ parent: parent.id })).data;
  assert.equal(child?.relation, "continue");
  assert.equal(child?.settings?.continued, true);
  await page.goto(`${shared.url}/#takes/${child!.id}`);
  assert.deepEqual(await page.locator(".lineage small").allTextContents(), ["continued"]);
});

test("a tune from a file and from the keys goes to a model that follows one", async () => {
  const { page, picture } = await open(shared.url);
  assert.equal(await page.getByText("Follow a tune").count(), 0, "the default model follows words alone");
  await page.getByLabel("Model").selectOption(melody.name);
  const tone = Float32Array.from({ length: 32_000 }, (_, n) => 0.3 * Math.sin((2 * Math.PI * 440 * n) / 32_000));
  const wav = Buffer.from(writeWav({ sampleRate: 32_000, channels: [tone] }, { bits: 16 }));
  await page.locator("input[type=file]").setInputFiles({ name: "a.wav", mimeType: "audio/wav", buffer: wav });
  await page.locator(".chroma canvas[aria-label^='The tune as the model hears it: 8 moments']").waitFor();
  await page.getByRole("button", { name: "Play keys" }).click();
  await page.locator(".piano").focus();
  for (const key of ["a", "d", "g"]) {
    await page.keyboard.down(key);
    await page.waitForTimeout(250);
    await page.keyboard.up(key);
  }
  await page.getByText("played, 3 notes").waitFor();
  await picture("make-melody");
  await setLength(page, 1);
  await page.fill(prompt, "strings");
  await page.press(prompt, "Enter");
  await page.locator(done).waitFor();
  const [take] = (await shared.client.list()).data;
  assert.equal(take?.settings?.melody, true);
});

test("the first load is small, and comes from here alone", async () => {
  const answers = new Map<string, number>();
  const html = await shared.ask("GET", "/");
  const paths = ["/", ...[...(await html.text()).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path!)];
  for (const path of paths) {
    assert.match(path, /^\//, "nothing comes from elsewhere");
    const response = await shared.ask("HEAD", path, undefined, { "accept-encoding": "br" });
    answers.set(path, Number(response.headers.get("content-length")));
  }
  const total = [...answers.values()].reduce((sum, bytes) => sum + bytes, 0);
  assert.ok(total < 120_000, `the first load is ${total} bytes: ${JSON.stringify([...answers])}`);
  assert.match(html.headers.get("content-security-policy")!, /script-src 'self' 'wasm-unsafe-eval'(;|$)/);
});
