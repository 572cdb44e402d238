/** @file One run: where it is, what its numbers say, what it sings by now, and what to do with it. */

import { useSignal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import type { RunResource } from "../../../src/server/client.js";
import { change } from "../state/draft.js";
import { addressOf, go } from "../state/place.js";
import { client, fetchModels, line } from "../state/server.js";
import { lasting } from "./found.js";
import { Numbers } from "./numbers.js";
import { attempt, Following, fetchTraining, isOver, putRun } from "./state.js";
import { Sung } from "./sung.js";

export function RunView({ run }: { readonly run: RunResource }) {
  const { id, name, state, step, steps, model, music, what, settings, error, usable } = run;
  const [following] = useState(() => new Following(id));
  const over = isOver(run);
  useEffect(() => {
    if (line.value === "open") void following.follow();
    return () => following.leave();
  }, [line.value, over]);
  const rate = settings.rank === null ? `rate ${settings.rate}` : `rank ${settings.rank}, rate ${settings.rate}`;
  return (
    <div class="train run">
      <p>
        <a href={addressOf("train")}>All folders and runs</a>
      </p>
      <header class="run-head">
        <h1>{name}</h1>
        <p class="muted">
          {what === "adapter" ? "An adapter for" : "A model that begins as"} {model}, from{" "}
          <a href={addressOf("train", music.id)}>{music.name}</a>;{" "}
          {settings.batch === 1 ? "a clip" : `${settings.batch} clips`} of {settings.seconds} s a step, {rate}
        </p>
        <output class={`run-state ${state}`}>{stateOf(run)}</output>
        <progress
          class="steps"
          max={state === "listening" ? (run.listened?.recordings ?? 1) : steps}
          value={state === "listening" ? (run.listened?.done ?? 0) : step}
          aria-label={state === "listening" ? "Recordings that have become codes" : "Steps"}
        />
        {error !== null && (
          <p class="problem" role="alert">
            {capital(error.detail)}
          </p>
        )}
        <Buttons run={run} />
        {state === "done" && !usable && <p class="muted">What came of it is gone.</p>}
      </header>
      <Numbers following={following} run={run} />
      <Sung following={following} run={run} />
      {run.said.length > 0 && (
        <details class="remarks">
          <summary>What it said</summary>
          <ul>
            {run.said.map((said) => (
              <li key={said}>
                <small>{said}</small>
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

/** In words. */
export function stateOf({ state, step, steps, seconds_left, position, listened }: RunResource): string {
  const at = `step ${step} of ${steps}`;
  switch (state) {
    case "waiting":
      return position === null || position === 0
        ? "about to begin"
        : `waits for ${position === 1 ? "another run" : `${position} other runs`}`;
    case "listening":
      return listened === null
        ? "getting ready to listen"
        : `turning sound into codes: ${listened.done} of ${listened.recordings} recordings`;
    case "learning":
      return step === 0
        ? "getting ready to learn"
        : `learning: ${at}${seconds_left === null ? "" : `, about ${lasting(seconds_left)} left`}`;
    case "stopping":
      return `finishing a step and saving, at ${at}`;
    case "stopped":
      return `stopped at ${at}`;
    case "done":
      return `done: ${steps} steps`;
    case "failed":
      return step === 0 ? "it could not begin" : `failed at ${at}`;
  }
}

// --- internal ---

function Buttons({ run }: { readonly run: RunResource }) {
  const { id, name, state, usable } = run;
  const sure = useSignal(false);
  const busy = useSignal(false);
  const ask = async (what: () => Promise<RunResource>) => {
    busy.value = true;
    await attempt(async () => putRun(await what()));
    busy.value = false;
  };
  return (
    <p class="buttons">
      {usable && (
        <button
          type="button"
          class="go"
          onClick={() =>
            void attempt(fetchModels).then(() => {
              change({ model: name });
              go("make");
            })
          }
        >
          Use in Make
        </button>
      )}
      {!isOver(run) && (
        <button
          type="button"
          class="plain"
          disabled={busy.value || state === "stopping"}
          onClick={() => void ask(() => client.training.stop(id))}
        >
          Stop
        </button>
      )}
      {(state === "stopped" || state === "failed") && (
        <button
          type="button"
          class="plain"
          disabled={busy.value}
          onClick={() => void ask(() => client.training.resume(id))}
        >
          Go on
        </button>
      )}
      {sure.value ? (
        <button
          type="button"
          class="plain"
          onClick={() =>
            void attempt(async () => {
              await client.training.remove(id);
              await Promise.all([fetchTraining(), fetchModels()]);
              go("train");
            })
          }
        >
          Really delete what it learnt
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
      )}
    </p>
  );
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
