/** @file Models: what is on this machine, what one may do with it, and fetching others. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { ModelResource, PullResource } from "../../../src/server/client.js";
import { change, chosenModel } from "../state/draft.js";
import { addressOf, go } from "../state/place.js";
import { client, fetchModels, line, memory, messageOf, models, noteLoss, offers, pulls } from "../state/server.js";
import { say } from "../state/words.js";

export function ModelsView() {
  useEffect(() => {
    void attempt(fetchModels);
    const timer = setInterval(
      () => pulls.peek().some(({ state }) => state === "fetching") && attempt(fetchModels),
      1000,
    );
    return () => clearInterval(timer);
  }, []);
  const coming = new Set(pulls.value.map(({ name }) => name));
  const others = offers.value.filter(({ name }) => !coming.has(name));
  return (
    <div class="models">
      <section aria-labelledby="models-title">
        <h1 id="models-title">On this machine</h1>
        {memory.value !== null && (
          <p class="muted">
            It has {sizeOf(memory.value.total)} of memory, {sizeOf(memory.value.free)} of it free for a model now.
          </p>
        )}
        {models.value.length === 0 && <p class="loading">{line.value === "lost" ? "" : "Looking"}</p>}
        <ul>
          {models.value.map((model) => (
            <li key={model.name}>
              <Card model={model} />
            </li>
          ))}
        </ul>
      </section>
      <section aria-labelledby="fetch-title">
        <h1 id="fetch-title">Fetch another</h1>
        <p class="muted">
          From the Hugging Face hub, once; other programs on this machine then find it too. Meta's models are for
          non-commercial use.
        </p>
        <ul>
          {pulls.value
            .filter(({ state }) => state !== "done")
            .map((pull) => (
              <li key={pull.name}>
                <Pull pull={pull} />
              </li>
            ))}
          {others.map(({ name, about, memory, fits }) => (
            <li key={name} class="offer">
              <p>
                <b>{name}</b> <small>{about}</small>
                <small class={`fit ${fits ?? ""}`}>{needs(memory, fits)}</small>
              </p>
              <button type="button" class="plain" onClick={() => void fetchOne(name)}>
                Fetch
              </button>
            </li>
          ))}
        </ul>
        <Other />
      </section>
    </div>
  );
}

// --- internal ---

async function attempt(what: () => Promise<unknown>): Promise<void> {
  try {
    await what();
  } catch (error) {
    noteLoss(error);
    say(messageOf(error));
  }
}

const fetchOne = (name: string) => attempt(() => client.pull(name).then(fetchModels));
const removeOne = (name: string) => attempt(() => client.removeModel(name).then(fetchModels));

function Card({ model }: { readonly model: ModelResource }) {
  const sure = useSignal(false);
  const {
    name,
    kind,
    run,
    bytes,
    memory,
    fits,
    melody,
    window,
    channels,
    sample_rate,
    codebooks,
    bins,
    licence,
    commercial,
  } = model;
  const chosen = kind === "music" && chosenModel.value?.name === name;
  return (
    <article class={`model-card${chosen ? " chosen" : ""}`}>
      <h2>{name}</h2>
      {run !== null && (
        <p>
          <a href={addressOf("train", run)}>Trained here</a>
        </p>
      )}
      <p class="muted">
        {kind === "codec" ? "A codec: it turns sound into codes and back, and cannot compose." : sings(melody, window)}
      </p>
      <dl class="facts">
        <Fact name="On disk" value={sizeOf(bytes)} />
        <Fact name="In memory" value={`about ${sizeOf(memory)}`} />
        <Fact name="Sound" value={`${channels === 1 ? "mono" : "stereo"}, ${sample_rate / 1000} kHz`} />
        <Fact name="Voices" value={`${codebooks}, of ${bins} codes each`} />
        <Fact name="Licence" value={licence ?? "not stated"} />
      </dl>
      {fits !== "yes" && fits !== null && <p class="may">{needs(memory, fits)}</p>}
      <p class={`may ${commercial === true ? "yes" : ""}`}>{mayOf(commercial)}</p>
      {kind === "music" && (
        <p class="buttons">
          <button
            type="button"
            class="plain"
            aria-pressed={chosen}
            onClick={() => {
              change({ model: name });
              go("make");
            }}
          >
            {chosen ? "In use" : "Use it"}
          </button>
          {name.includes("/") &&
            (sure.value ? (
              <button type="button" class="plain" onClick={() => void removeOne(name)}>
                Really delete {sizeOf(bytes)}
              </button>
            ) : (
              <button
                type="button"
                class="link"
                onClick={() => {
                  sure.value = true;
                }}
              >
                Delete
              </button>
            ))}
        </p>
      )}
    </article>
  );
}

const Fact = ({ name, value }: { readonly name: string; readonly value: string }) => (
  <div>
    <dt>{name}</dt>
    <dd>{value}</dd>
  </div>
);

function Pull({ pull }: { readonly pull: PullResource }) {
  const { name, state, file, received, bytes, error } = pull;
  return (
    <article class="pull">
      <p>
        <b>{name}</b>{" "}
        <small>
          {state === "failed"
            ? (error?.detail ?? "It did not come.")
            : `${file ?? "asking"}: ${sizeOf(received)}${bytes === null ? "" : ` of ${sizeOf(bytes)}`}`}
        </small>
      </p>
      {state === "fetching" && <progress max={bytes ?? undefined} value={bytes === null ? undefined : received} />}
      <p class="buttons">
        {state === "failed" && (
          <button type="button" class="plain" onClick={() => void fetchOne(name)}>
            Go on
          </button>
        )}
        <button type="button" class="plain" onClick={() => void removeOne(name)}>
          {state === "failed" ? "Leave it" : "Stop"}
        </button>
      </p>
    </article>
  );
}

function Other() {
  return (
    <form
      class="other"
      onSubmit={(event) => {
        event.preventDefault();
        const form = event.currentTarget;
        void fetchOne(`${new FormData(form).get("name")}`.trim()).then(() => form.reset());
      }}
    >
      <label>
        Another of the hub
        <input
          name="name"
          placeholder="owner/name"
          required
          pattern="[\w.\-]+/[\w.\-]+(@[\w.\/\-]+)?"
          spellcheck={false}
        />
      </label>
      <button type="submit" class="plain">
        Fetch
      </button>
    </form>
  );
}

const sings = (melody: boolean, window: number | null): string =>
  `Music from words${melody ? ", and along a tune" : ""}${window === null ? "." : `; it knows pieces of ${Math.round(window)} s, longer ones are made in windows.`}`;

/** Whether there is room for it, in words. */
const needs = (memory: number, fits: ModelResource["fits"]): string =>
  `Needs about ${sizeOf(memory)} of memory${
    {
      yes: ": there is room.",
      tight: ": close other programs first.",
      no: ", more than this machine has: it will not run here.",
      unknown: ", on the machine that composes.",
    }[fits ?? "unknown"]
  }`;

const mayOf = (commercial: boolean | null): string =>
  commercial === null
    ? "What may be done with its sound is not known: read its licence first."
    : commercial
      ? "What it makes may be used for anything."
      : "What it makes may not be used commercially.";

const sizeOf = (bytes: number): string =>
  bytes < 1e6
    ? `${Math.ceil(bytes / 1e3)} kB`
    : bytes < 1e9
      ? `${(bytes / 1e6).toFixed(0)} MB`
      : `${(bytes / 1e9).toFixed(1)} GB`;
