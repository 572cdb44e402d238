/** @file A tune for the next take to follow: from a file, hummed, or played on a few keys; shown as the model hears it. */

import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { melodyChroma, normalisedChroma } from "../../../src/melody/chroma.js";
import { drawChroma } from "../figures/chroma.js";
import { palette } from "../figures/palette.js";
import { record, samplesOf, tuneRate, wavOf } from "../sound/tune.js";
import { change, chosenModel, tune } from "../state/draft.js";
import { addressOf } from "../state/place.js";
import { musicModels } from "../state/server.js";
import { say } from "../state/words.js";
import { Canvas } from "../ui/canvas.js";
import { Icon } from "../ui/icons.js";
import { Piano } from "./piano.js";

/** Seconds: more of a tune no model hears. */
const longest = 30;

export function Melody() {
  const way = useSignal<"none" | "keys">("none");
  if (!chosenModel.value?.melody) return <Elsewhere />;
  return (
    <fieldset class="melody" aria-label="Melody">
      <div class="ways">
        <span class="label">Follow a tune</span>
        <FromFile />
        <Hum />
        <button
          type="button"
          class="plain"
          aria-expanded={way.value === "keys"}
          onClick={() => {
            way.value = way.value === "keys" ? "none" : "keys";
          }}
        >
          Play keys
        </button>
        {tune.value !== undefined && (
          <span class="tune">
            {tune.value.name}
            <button type="button" class="quiet" aria-label="Without the tune" onClick={() => (tune.value = undefined)}>
              <Icon name="close" />
            </button>
          </span>
        )}
      </div>
      {way.value === "keys" && <Piano />}
      {tune.value !== undefined && <Chroma blob={tune.value.blob} />}
    </fieldset>
  );
}

// --- internal ---

function Elsewhere() {
  const able = musicModels.value.filter(({ melody }) => melody);
  if (chosenModel.value === undefined) return null;
  return (
    <p class="elsewhere">
      {chosenModel.value.name} follows words alone.{" "}
      {able.length > 0 ? (
        <>
          For a tune to follow, choose{" "}
          {able.map(({ name }) => (
            <button key={name} type="button" class="link" onClick={() => change({ model: name })}>
              {name}
            </button>
          ))}
        </>
      ) : (
        <>
          Melody models follow a tune that you hum or play, such as facebook/musicgen-melody:{" "}
          <a href={addressOf("models")}>Models</a> fetches it.
        </>
      )}
    </p>
  );
}

function FromFile() {
  const input = useRef<HTMLInputElement>(null);
  const take = async (file: File | undefined) => {
    if (file === undefined) return;
    try {
      const samples = await samplesOf(file);
      // What the server can read goes as it is; what only browsers can is written anew.
      const known = /\.(wav|mp3|flac|ogg|opus)$/i.test(file.name);
      tune.value = { blob: known ? file : wavOf(samples), name: file.name };
      change({ melody: undefined });
    } catch {
      say(`${file.name} is no sound that this browser can read.`);
    }
  };
  return (
    <>
      <input
        ref={input}
        type="file"
        accept="audio/*"
        hidden
        aria-label="A file with a tune"
        onChange={({ currentTarget }) => void take(currentTarget.files?.[0])}
      />
      <button
        type="button"
        class="plain"
        onClick={() => input.current!.click()}
        onDragOver={(event) => event.preventDefault()}
        onDrop={(event) => {
          event.preventDefault();
          void take(event.dataTransfer?.files[0]);
        }}
      >
        From a file
      </button>
    </>
  );
}

function Hum() {
  const recording = useSignal<Awaited<ReturnType<typeof record>> | undefined>(undefined);
  const seconds = useSignal(0);
  const able = navigator.mediaDevices !== undefined;

  const finish = async () => {
    const blob = await recording.value!.finish();
    recording.value = undefined;
    const samples = await samplesOf(blob);
    tune.value = { blob: wavOf(samples), name: `hummed, ${(samples.length / tuneRate).toFixed(1)} s` };
    change({ melody: undefined });
  };
  const begin = async () => {
    try {
      recording.value = await record();
      seconds.value = 0;
    } catch {
      say("There is no microphone, or this page may not use it.");
    }
  };
  useEffect(() => {
    if (recording.value === undefined) return;
    const timer = setInterval(() => {
      seconds.value += 0.1;
      if (seconds.value >= longest) void finish();
    }, 100);
    return () => clearInterval(timer);
  }, [recording.value]);

  const now = recording.value;
  return (
    <button
      type="button"
      class={`plain${now === undefined ? "" : " recording"}`}
      disabled={!able}
      title={able ? "Sing, hum or whistle one voice" : "A microphone needs localhost or https"}
      aria-pressed={now !== undefined}
      onClick={() => void (now === undefined ? begin() : finish())}
    >
      <Icon name="microphone" />
      {now === undefined ? "Hum" : `Stop · ${seconds.value.toFixed(1)} s`}
    </button>
  );
}

function Chroma({ blob }: { readonly blob: Blob }) {
  const frames = useSignal<readonly Float32Array[] | undefined>(undefined);
  useEffect(() => {
    let wanted = true;
    void samplesOf(blob).then((samples) => {
      if (wanted) frames.value = normalisedChroma(samples.subarray(0, longest * tuneRate));
    });
    return () => {
      wanted = false;
    };
  }, [blob]);
  const url = useMemo(() => URL.createObjectURL(blob), [blob]);
  useEffect(() => () => URL.revokeObjectURL(url), [url]);
  const shown = frames.value ?? [];
  return (
    <figure class="chroma">
      <Canvas
        label={`The tune as the model hears it: ${shown.length} moments, each with its strongest pitch class`}
        when={frames.value}
        draw={(ctx, width, height) => {
          if (palette.value !== undefined) drawChroma(ctx, width, height, shown, palette.value);
          return false;
        }}
      />
      <figcaption>
        <small>
          What melody models hear: the strongest of twelve pitch classes, every{" "}
          {Math.round((1000 * melodyChroma.hop) / melodyChroma.sampleRate)} ms
        </small>
        {/* biome-ignore lint/a11y/useMediaCaption: a tune has no words */}
        <audio controls src={url} aria-label="The tune" />
      </figcaption>
    </figure>
  );
}
