/** @file What was found in a folder, and what is wrong with the rest of it. */

import type { MusicResource } from "../../../src/server/client.js";
import { addressOf, go } from "../state/place.js";
import { client } from "../state/server.js";
import { Plan } from "./plan.js";
import { attempt, fetchTraining } from "./state.js";

export function Found({ music }: { readonly music: MusicResource }) {
  const { id, name, state, files, done, error } = music;
  return (
    <div class="train found">
      <p>
        <a href={addressOf("train")}>All folders and runs</a>
      </p>
      <section aria-labelledby="found-title">
        <h1 id="found-title">
          <span class="step">2</span> {name}
        </h1>
        {state === "listening" && (
          <div class="listening">
            <p>
              {files === null ? "Looking for sound files" : `Listening: ${done} of ${files} files`}. Each is heard once,
              here on this machine.
            </p>
            <progress max={files ?? undefined} value={files === null ? undefined : done} aria-label="Listening" />
            <p>
              <button type="button" class="plain" onClick={() => void forget(id)}>
                Stop
              </button>
            </p>
          </div>
        )}
        {state === "failed" && (
          <p class="problem" role="alert">
            {capital(error?.detail ?? "Listening did not work")}.
          </p>
        )}
        {state === "ready" && <Facts music={music} />}
        <Remarks
          title={`${music.left_out} ${music.left_out === 1 ? "file was" : "files were"} left out`}
          remarks={music.problems}
          all={music.left_out}
        />
        <Remarks title="Words that could not be used" remarks={music.notes} all={music.notes.length} />
      </section>
      {state === "ready" && <Plan music={music} />}
      {state !== "listening" && (
        <p>
          <button type="button" class="link" onClick={() => void forget(id)}>
            Forget this folder
          </button>{" "}
          <small>your files stay as they are</small>
        </p>
      )}
    </div>
  );
}

/** 1 h 5 min, 3 min, 20 s */
export function lasting(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

// --- internal ---

function Facts({ music }: { readonly music: MusicResource }) {
  const { recordings, seconds, described, held_out } = music;
  return (
    <>
      <dl class="facts big">
        <Fact name="Recordings" value={`${recordings}`} />
        <Fact name="Music" value={lasting(seconds)} />
        <Fact name="With words" value={`${described}`} />
        <Fact name="Held out" value={`${held_out}`} />
      </dl>
      <p class="muted">
        {described < recordings &&
          "Words come from a .txt or .json beside each file, or from its tags. Recordings without words still teach a model how your music sounds, not what to call it. "}
        What is held out is not learnt from: on it one sees whether learning helps.
        {seconds < 600 && " This is very little music: expect a hint of its sound, no more."}
      </p>
    </>
  );
}

const Fact = ({ name, value }: { readonly name: string; readonly value: string }) => (
  <div>
    <dt>{name}</dt>
    <dd>{value}</dd>
  </div>
);

function Remarks({
  title,
  remarks,
  all,
}: {
  readonly title: string;
  readonly remarks: MusicResource["problems"];
  readonly all: number;
}) {
  if (remarks.length === 0) return null;
  return (
    <details class="remarks" open={remarks.length <= 6}>
      <summary>{title}</summary>
      <ul>
        {remarks.map(({ file, reason }) => (
          <li key={file + reason}>
            <b>{file}</b> <small>{reason}</small>
          </li>
        ))}
      </ul>
      {all > remarks.length && <p class="muted">and {all - remarks.length} more</p>}
    </details>
  );
}

const forget = (id: string) =>
  attempt(async () => {
    await client.training.removeMusic(id);
    await fetchTraining();
    go("train");
  });

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1).replace(/\.$/, "");
