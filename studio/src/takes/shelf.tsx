/** @file The list of all takes: searched, sorted out by stars and tags, walked through with the arrow keys. */

import { computed, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Generation } from "../../../src/server/client.js";
import { addressOf, go, place } from "../state/place.js";
import { changeTake, listed, nameOf, newest, secondsOf } from "../state/takes.js";
import { ago } from "../ui/clock.js";
import { Icon } from "../ui/icons.js";
import { Weave } from "../ui/weave.js";

const words = signal("");
const starred = signal(false);
const tag = signal<string | undefined>(undefined);

const found = computed(() => {
  const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
  return newest.value.filter(
    (take) =>
      (!starred.value || take.favourite) &&
      (tag.value === undefined || take.tags.includes(tag.value)) &&
      wanted.every((word) => textOf(take).includes(word)),
  );
});

const tags = computed(() => [...new Set(newest.value.flatMap((take) => take.tags))].sort());

export function Shelf() {
  useEffect(() => {
    document.addEventListener("keydown", walk);
    return () => document.removeEventListener("keydown", walk);
  }, []);
  const here = place.value.ids[0];
  if (tag.value !== undefined && !tags.value.includes(tag.value)) tag.value = undefined;
  return (
    <aside class="shelf" aria-label="All takes">
      <div class="search">
        <Icon name="search" />
        <input
          type="search"
          data-writing
          aria-label="Search takes"
          placeholder="Search words, titles, tags"
          value={words.value}
          onInput={({ currentTarget }) => {
            words.value = currentTarget.value;
          }}
        />
        <button
          type="button"
          class="quiet"
          aria-label="Favourites only"
          aria-pressed={starred.value}
          onClick={() => {
            starred.value = !starred.value;
          }}
        >
          <Icon name="star" filled={starred.value} />
        </button>
      </div>
      {tags.value.length > 0 && (
        <ul class="tags" aria-label="Tags">
          {tags.value.map((each) => (
            <li key={each}>
              <button
                type="button"
                aria-pressed={tag.value === each}
                onClick={() => {
                  tag.value = tag.value === each ? undefined : each;
                }}
              >
                {each}
              </button>
            </li>
          ))}
        </ul>
      )}
      <ul class="rows">
        {found.value.map((take) => (
          <li key={take.id}>
            <Row take={take} here={take.id === here} />
          </li>
        ))}
      </ul>
      {listed.value && found.value.length === 0 && <p class="empty">No take is like that.</p>}
    </aside>
  );
}

// --- internal ---

function Row({ take, here }: { readonly take: Generation; readonly here: boolean }) {
  const state = { queued: "waiting", running: "composing", failed: "failed", cancelled: "stopped", done: "" }[
    take.state
  ];
  return (
    <a href={addressOf("takes", take.id)} aria-current={here ? "true" : undefined} class={`row ${take.state}`}>
      <Weave take={take} />
      <span class="name">{nameOf(take).slice(0, 160)}</span>
      <small>
        {state === "" ? `${secondsOf(take).toFixed(1)} s` : state} · {ago(take.created_at)}
        {take.favourite && <Icon name="star" filled />}
      </small>
    </a>
  );
}

const textOf = (take: Generation): string =>
  [take.title ?? "", ...take.pieces.map(({ prompt }) => prompt), ...take.tags].join(" ").toLowerCase();

function walk(event: KeyboardEvent): void {
  const target = event.target as HTMLElement;
  if (target.closest("input:not([type=search]), textarea, select") || event.ctrlKey || event.metaKey) return;
  const at = found.peek().findIndex(({ id }) => id === place.peek().ids[0]);
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step !== undefined) {
    const next = found.peek()[Math.max(0, at + step)];
    if (next === undefined) return;
    event.preventDefault();
    go("takes", next.id);
    requestAnimationFrame(() =>
      document.querySelector(".shelf [aria-current=true]")?.scrollIntoView({ block: "nearest" }),
    );
  } else if (event.key === "f" && target.closest("input") === null && at >= 0) {
    const take = found.peek()[at]!;
    void changeTake(take.id, { favourite: !take.favourite });
  }
}
