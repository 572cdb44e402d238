/**
 * @file For tests of the studio: the system's Chromium, pages that note every complaint and every sample that is heard, and
 * pictures of them in test/artefacts.
 */

import assert from "node:assert/strict";
import { existsSync, mkdirSync } from "node:fs";
import { after } from "node:test";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { repositoryFile } from "../golden.js";

export interface Opened {
  readonly page: Page;
  /** Loudest sample that went to the loudspeakers since the page was loaded. */
  loudest(): Promise<number>;
  /** Waits until it is louder than that. */
  heard(least?: number): Promise<void>;
  picture(name: string): Promise<void>;
}

/** A fresh page in a profile of its own. Whatever the browser complains about fails the test file. */
export async function open(url: string, options: BrowserContextOptions = {}): Promise<Opened> {
  browser ??= chromium.launch({ executablePath: executable(), args: launchWith });
  const context = await (await browser).newContext({ viewport: { width: 1280, height: 860 }, ...options });
  context.setDefaultTimeout(90_000);
  await context.addInitScript(listen);
  const page = await context.newPage();
  page.on("pageerror", (error) => complaints.push(`${error.stack}`));
  page.on("console", (message) => {
    if (message.type() === "error" && !/ERR_CONNECTION|Failed to load resource/.test(message.text()))
      complaints.push(message.text());
  });
  await page.goto(url);
  await page.locator(".line.open").waitFor();
  return {
    page,
    loudest: () => page.evaluate("globalThis.loudest?.() ?? 0"),
    // Asked again and again from here: what asks by itself in the page is kept from it by the page's policy.
    async heard(least = 0.01) {
      const end = Date.now() + 60_000;
      while (((await page.evaluate("globalThis.loudest?.() ?? 0")) as number) <= least) {
        if (Date.now() > end) throw new Error("nothing was heard for a minute");
        await page.waitForTimeout(20);
      }
    },
    async picture(name) {
      mkdirSync(pictures, { recursive: true });
      await page.screenshot({ path: `${pictures}/${name}.png` });
    },
  };
}

/** What pages threw, and what their policy kept them from. */
export const complaints: string[] = [];

after(async () => {
  await (await browser)?.close();
  assert.deepEqual(complaints, []);
});

// --- internal ---

let browser: Promise<Browser> | undefined;
const pictures = repositoryFile("test/artefacts");

const launchWith = ["--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"];

function executable(): string {
  const found = [
    process.env.HOCKET_CHROMIUM,
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
  ].find((path) => path !== undefined && existsSync(path));
  assert.ok(found, "the studio's tests need Chromium: apt-get install chromium, or say where it is in HOCKET_CHROMIUM");
  return found;
}

/** Runs in the page: whatever is connected to the loudspeakers is connected to an analyser too. */
const listen = `{
  const connect = AudioNode.prototype.connect;
  const heard = [];
  AudioNode.prototype.connect = function (to, ...rest) {
    if (to instanceof AudioDestinationNode && !(this.context instanceof OfflineAudioContext)) {
      const analyser = new AnalyserNode(this.context, { fftSize: 2048 });
      connect.call(this, analyser);
      heard.push(analyser);
    }
    return connect.call(this, to, ...rest);
  };
  let most = 0;
  const samples = new Float32Array(2048);
  setInterval(() => {
    for (const analyser of heard) {
      analyser.getFloatTimeDomainData(samples);
      for (const x of samples) most = Math.max(most, Math.abs(x));
    }
  }, 20);
  globalThis.loudest = () => most;
}`;
