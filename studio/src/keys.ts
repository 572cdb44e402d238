/** @file The keyboard: what works everywhere. Keys of a view stand with the view. */

import { signal } from "@preact/signals";
import { player } from "./sound/player.js";
import { compose } from "./state/compose.js";
import { go, place, views } from "./state/place.js";
import { cancelTake, underway } from "./state/takes.js";

export const helpOpen = signal(false);
/** What the space bar does, where it is not to play or pause the player. */
export const spaceBar = signal<(() => void) | undefined>(undefined);

/** Each key, and what it does, for the person. */
export const keys: readonly (readonly [key: string, does: string])[] = [
  ["Enter", "compose"],
  ["Space", "play or pause"],
  ["← →", "back or on by half a second"],
  ["Esc", "stop composing; close what is open"],
  ["/", "write a prompt, or search"],
  ["1 2 3 4", "Make, Takes, Models, Train"],
  ["↑ ↓", "the take before or after, in Takes"],
  ["F", "favourite, in Takes"],
  ["A B", "switch between the two, when comparing"],
  ["?", "these keys"],
];

export function listenToKeys(): void {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target as HTMLElement;
    if (event.key === "Escape") return void leave(target);
    if (target.closest("input:not([type=range]), textarea, select, dialog")) return;
    const onControl = target.closest("button, a, summary, [role=slider], label") !== null;
    const does = actions[event.key];
    if (does === undefined || (onControl && (event.key === "Enter" || event.key === " "))) return;
    event.preventDefault();
    does();
  });
}

// --- internal ---

const actions: Record<string, () => void> = {
  " ": () => (spaceBar.peek() ?? (() => player.toggle()))(),
  ArrowLeft: () => player.seek(player.position() - 0.5),
  ArrowRight: () => player.seek(player.position() + 0.5),
  Enter: () => place.peek().view === "make" && void compose(),
  "/": () => document.querySelector<HTMLElement>("[data-writing]")?.focus(),
  "?": () => {
    helpOpen.value = !helpOpen.value;
  },
  ...Object.fromEntries(
    views.filter((view) => view !== "compare").map((view, i) => [`${i + 1}`, () => go(view)] as const),
  ),
};

function leave(target: HTMLElement): void {
  if (helpOpen.value) helpOpen.value = false;
  else if (place.peek().view === "make" && underway.peek()[0] !== undefined) void cancelTake(underway.peek()[0]!.id);
  else target.blur();
}
