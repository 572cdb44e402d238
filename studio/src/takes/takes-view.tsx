/** @file Takes: everything that was made, and all about the one that is looked at. */

import { useEffect } from "preact/hooks";
import { addressOf, place, replace } from "../state/place.js";
import { line } from "../state/server.js";
import { listed, newest, takeOf } from "../state/takes.js";
import { Shelf } from "./shelf.js";
import { TakeView } from "./take-view.js";
import { part } from "./wave.js";

export function TakesView() {
  const id = place.value.ids[0];
  const take = takeOf(id) ?? (id === undefined ? newest.value[0] : undefined);
  useEffect(() => {
    part.value = undefined;
  }, [take?.id]);
  useEffect(() => {
    if (listed.value && id === undefined && take !== undefined && innerWidth > 860) replace("takes", take.id);
  });
  if (!listed.value) return <p class="loading">{line.value === "lost" ? "" : "Fetching your takes"}</p>;
  if (newest.value.length === 0)
    return (
      <div class="empty nothing">
        <h1>No takes yet</h1>
        <p>Everything that is composed is kept here, with all its settings, until you delete it.</p>
        <a class="go" href={addressOf("make")}>
          Make the first
        </a>
      </div>
    );
  return (
    <div class={`takes${id === undefined ? "" : " open"}`}>
      <Shelf />
      {take !== undefined ? (
        <TakeView key={take.id} take={take} />
      ) : (
        <p class="empty">There is no such take any more. Choose another from the list.</p>
      )}
    </div>
  );
}
