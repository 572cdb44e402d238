/** @file The colours that figures draw with: those of the page's style, light or dark, read when they change. */

import { signal } from "@preact/signals";

export interface Palette {
  readonly ink: string;
  readonly muted: string;
  readonly paper: string;
  readonly empty: string;
  /** Of each voice from its strongest shade to its palest. */
  readonly shades: readonly (readonly string[])[];
}

export const palette = signal<Palette | undefined>(undefined);

/** To be called once the page has its style, and when it changes. */
export function readPalette(): void {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
  palette.value = {
    ink: colour("ink"),
    muted: colour("muted"),
    paper: colour("screen"),
    empty: colour("empty"),
    shades: [1, 2, 3, 4].map((voice) => shadesOf(colour(`voice-${voice}`), colour("screen"))),
  };
}

/** Which of a voice's shades a code has: neighbouring codes look alike, equal codes equal. */
export const shadeOf = (shades: readonly string[], code: number, bins: number): string =>
  shades[Math.min(shades.length - 1, Math.floor((code * shades.length) / bins))]!;

/** Where there are more than four, neighbours share a colour: of a stereo model's eight, left and right do. */
export const voiceOf = ({ shades }: Palette, k: number, codebooks: number): readonly string[] =>
  shades[Math.floor((k * shades.length) / Math.max(codebooks, shades.length))]!;

// --- internal ---

const count = 12;

function shadesOf(voice: string, paper: string): string[] {
  const [from, to] = [rgb(voice), rgb(paper)];
  return Array.from({ length: count }, (_, i) => {
    const share = (0.72 * i) / (count - 1);
    return `rgb(${from.map((part, c) => Math.round(part + (to[c]! - part) * share)).join(" ")})`;
  });
}

const rgb = (hex: string): number[] => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
