/** @file Light or dark: as the system has it, until the person says otherwise. */

import { signal } from "@preact/signals";
import { readPalette } from "../figures/palette.js";

export type Theme = "light" | "dark";
export const theme = signal<Theme>("light");

/** Follows the system, and what was chosen before. */
export function dress(): void {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => wear(chosen() ?? (system.matches ? "dark" : "light"));
  system.addEventListener("change", follow);
  follow();
}

export function turnTheme(): void {
  const other = theme.peek() === "light" ? "dark" : "light";
  try {
    localStorage.setItem(key, other);
  } catch {} // lasts as long as the page then
  wear(other);
}

// --- internal ---

const key = "hocket.theme";

function chosen(): Theme | undefined {
  try {
    const kept = localStorage.getItem(key);
    return kept === "light" || kept === "dark" ? kept : undefined;
  } catch {
    return undefined;
  }
}

function wear(next: Theme): void {
  document.documentElement.dataset.theme = next;
  theme.value = next;
  readPalette();
}
