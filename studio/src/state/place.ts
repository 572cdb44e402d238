/** @file Where the person is: it stands in the address, so that it survives a reload and can be gone back from. */

import { signal } from "@preact/signals";

export const views = ["make", "takes", "compare", "models", "train"] as const;
export type View = (typeof views)[number];

export interface Place {
  readonly view: View;
  /** The takes it is about; in Train a run, or a folder that was listened through. */
  readonly ids: readonly string[];
}

export const place = signal<Place>(read());

export const addressOf = (view: View, ...ids: readonly string[]): string => `#${[view, ...ids].join("/")}`;

export function go(view: View, ...ids: readonly string[]): void {
  if (location.hash !== addressOf(view, ...ids)) location.hash = addressOf(view, ...ids);
}

/** As `go`, without a step to come back to. */
export function replace(view: View, ...ids: readonly string[]): void {
  history.replaceState(null, "", addressOf(view, ...ids));
  place.value = read();
}

// --- internal ---

addEventListener("hashchange", () => {
  place.value = read();
});

function read(): Place {
  const [view, ...ids] = location.hash.slice(1).split("/");
  return {
    view: views.find((each) => each === view) ?? "make",
    ids: ids.filter((id) => /^[0-9a-f]{32}$/.test(id)),
  };
}
