/** @file One take: its name and words, its voices and waveform, what can be made from it, and how it was made. */

import { useSignal } from "@preact/signals";
import type { Generation } from "../../../src/server/client.js";
import { player } from "../sound/player.js";
import { musicOf } from "../state/music.js";
import { addressOf } from "../state/place.js";
import { cancelTake, changeTake, removeTake, secondsOf } from "../state/takes.js";
import { Icon } from "../ui/icons.js";
import { Marks } from "../ui/marks.js";
import { Pieces, pieceOf, playPiece, useAtHand } from "../ui/pieces.js";
import { Voices } from "../ui/voices.js";
import { About } from "./about.js";
import { Actions } from "./actions.js";
import { Downloads } from "./downloads.js";
import { Lineage } from "./lineage.js";
import { PartRow } from "./part-row.js";
import { Spectrum } from "./spectrum.js";
import { Wave } from "./wave.js";

export function TakeView({ take }: { readonly take: Generation }) {
  const music = musicOf(take.id);
  const piece = pieceOf(take);
  const version = music.more.value;
  const track = music.tracks[piece];
  const mine = track !== undefined && player.track.value === track;
  useAtHand(track);
  const over = take.state !== "queued" && take.state !== "running";
  return (
    <article class="take" aria-label="The take">
      <a class="back" href={addressOf("takes")}>
        All takes
      </a>
      <Head take={take} />
      {(take.state === "done" || !over) && (
        <div class="stage">
          <Voices take={take} music={music} piece={piece} mine={mine} version={version} />
          {track?.whole && <Wave track={track} mine={mine} />}
          {track?.whole && <Marks take={take} />}
          <div class="under">
            <button
              type="button"
              class="plain strong"
              disabled={track === undefined}
              onClick={() => (mine ? player.toggle() : playPiece(take, piece))}
            >
              <Icon name={mine && player.state.value !== "still" ? "pause" : "play"} filled />
              {mine && player.state.value !== "still" ? "Pause" : "Play"}
            </button>
            {!over && (
              <button type="button" class="plain" onClick={() => void cancelTake(take.id)}>
                Stop composing
              </button>
            )}
            <Pieces take={take} />
            {track?.whole && <PartRow track={track} />}
          </div>
        </div>
      )}
      {take.state === "failed" && <p class="problem">{take.error?.detail ?? "It could not be composed."}</p>}
      {take.state === "cancelled" && (
        <p class="muted">Stopped before its end; what was composed until then is not kept.</p>
      )}
      {take.state === "done" && (
        <>
          <Actions take={take} piece={piece} />
          <Downloads take={take} piece={piece} />
          {track?.whole && <Spectrum track={track} />}
        </>
      )}
      <section class="columns">
        <About take={take} track={track} />
        <section aria-label="Where it comes from">
          <Lineage take={take} />
        </section>
      </section>
      <Remove take={take} />
    </article>
  );
}

// --- internal ---

function Head({ take }: { readonly take: Generation }) {
  const prompt = take.pieces[pieceOf(take)]?.prompt ?? "";
  return (
    <header class="head">
      <input
        class="title"
        aria-label="Title"
        placeholder="Give it a name"
        maxLength={200}
        value={take.title ?? ""}
        onChange={({ currentTarget }) => void changeTake(take.id, { title: currentTarget.value.trim() || null })}
        onKeyDown={(event) => event.key === "Enter" && event.currentTarget.blur()}
      />
      <button
        type="button"
        class={`quiet star${take.favourite ? " lit" : ""}`}
        aria-label="Favourite"
        aria-pressed={take.favourite}
        onClick={() => void changeTake(take.id, { favourite: !take.favourite })}
      >
        <Icon name="star" filled={take.favourite} />
      </button>
      <p class="words">{prompt === "" ? <em>without words: the model chose</em> : prompt}</p>
      <Tags take={take} />
      {take.state === "done" && <small class="sr">{secondsOf(take).toFixed(1)} seconds</small>}
    </header>
  );
}

function Tags({ take }: { readonly take: Generation }) {
  const drop = (tag: string) => void changeTake(take.id, { tags: take.tags.filter((each) => each !== tag) });
  return (
    <ul class="tags">
      {take.tags.map((tag) => (
        <li key={tag}>
          <span>{tag}</span>
          <button type="button" aria-label={`Without the tag ${tag}`} onClick={() => drop(tag)}>
            <Icon name="close" />
          </button>
        </li>
      ))}
      <li>
        <input
          aria-label="Add a tag"
          placeholder="+ tag"
          maxLength={50}
          onKeyDown={(event) => {
            const tag = event.currentTarget.value.trim();
            if (event.key !== "Enter" || tag === "") return;
            event.currentTarget.value = "";
            if (!take.tags.includes(tag)) void changeTake(take.id, { tags: [...take.tags, tag] });
          }}
        />
      </li>
    </ul>
  );
}

function Remove({ take }: { readonly take: Generation }) {
  const sure = useSignal(false);
  if (!sure.value)
    return (
      <p class="remove">
        <button
          type="button"
          class="link"
          onClick={() => {
            sure.value = true;
          }}
        >
          Delete this take
        </button>
      </p>
    );
  return (
    <p class="remove">
      Its sound is then gone for good.{" "}
      <button type="button" class="plain" onClick={() => void removeTake(take.id)}>
        <Icon name="bin" /> Delete
      </button>
      <button
        type="button"
        class="plain"
        onClick={() => {
          sure.value = false;
        }}
      >
        Keep
      </button>
    </p>
  );
}
