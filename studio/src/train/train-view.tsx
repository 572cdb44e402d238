/** @file Train: a folder is chosen, listened through, and a model learns from it. */

import "../style/train.css";
import { useEffect } from "preact/hooks";
import { addressOf, place } from "../state/place.js";
import { line } from "../state/server.js";
import { ago } from "../ui/clock.js";
import { Folders } from "./folders.js";
import { Found, lasting } from "./found.js";
import { RunView, stateOf } from "./run-view.js";
import { fetchTraining, isBusy, isOver, musics, runs, seen } from "./state.js";

export function TrainView() {
  const id = place.value.ids[0];
  useEffect(() => {
    if (line.value === "open") void fetchTraining();
    const timer = setInterval(() => line.peek() === "open" && isBusy() && void fetchTraining(), 700);
    return () => clearInterval(timer);
  }, [line.value]);
  if (!seen.value) return <p class="loading">{line.value === "lost" ? "" : "One moment"}</p>;
  const run = runs.value.find((each) => each.id === id);
  if (run !== undefined) return <RunView key={run.id} run={run} />;
  const music = musics.value.find((each) => each.id === id);
  if (music !== undefined) return <Found key={music.id} music={music} />;
  return (
    <div class="train">
      {id !== undefined && <p class="muted">There is no such run or folder any more.</p>}
      <section aria-labelledby="train-title" class="begin">
        <div>
          <h1 id="train-title">Teach it your music</h1>
          <p class="muted">
            A model that knows music already learns how yours sounds, on the server's machine; nothing leaves it, and
            your files stay as they are.
          </p>
          <ol class="way">
            <li>
              <span class="step">1</span> Choose a folder of songs
            </li>
            <li>
              <span class="step">2</span> See what was found, and what is wrong with it
            </li>
            <li>
              <span class="step">3</span> Let a model learn, hear it on the way, and use it in Make
            </li>
          </ol>
        </div>
        <Folders />
      </section>
      <Runs />
      <Heard />
    </div>
  );
}

// --- internal ---

function Runs() {
  return (
    <section aria-labelledby="runs-title">
      <h2 id="runs-title">Runs</h2>
      {runs.value.length === 0 ? (
        <p class="muted">None yet. What learns, and what was learnt, is kept here until you delete it.</p>
      ) : (
        <ul class="kept">
          {runs.value.map((run) => (
            <li key={run.id}>
              <a href={addressOf("train", run.id)}>
                <b>{run.name}</b>
                <small>{stateOf(run)}</small>
                <small class="when">{ago(run.created_at)}</small>
                {!isOver(run) && <progress max={run.steps} value={run.step} aria-label="Steps" />}
              </a>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Heard() {
  if (musics.value.length === 0) return null;
  return (
    <section aria-labelledby="heard-title">
      <h2 id="heard-title">Folders that were listened through</h2>
      <ul class="kept">
        {musics.value.map(({ id, name, state, recordings, seconds, left_out, created_at, done, files }) => (
          <li key={id}>
            <a href={addressOf("train", id)}>
              <b>{name}</b>
              <small>
                {state === "failed"
                  ? "nothing in it that can be learnt from"
                  : state === "listening"
                    ? `listening: ${done} of ${files ?? "?"} files`
                    : `${recordings} recordings, ${lasting(seconds)}${left_out > 0 ? `, ${left_out} left out` : ""}`}
              </small>
              <small class="when">{ago(created_at)}</small>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
