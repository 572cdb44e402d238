/** @file What a run composed on the way, for the same words each time: to hear it learn. */

import { useSignal } from "@preact/signals";
import type { RunResource } from "../../../src/server/client.js";
import { player } from "../sound/player.js";
import { Track } from "../sound/track.js";
import { client, models } from "../state/server.js";
import { Icon } from "../ui/icons.js";
import { attempt, type Following, isOver } from "./state.js";

export function Sung({ following, run }: { readonly following: Following; readonly run: RunResource }) {
  following.more.value; // drawn anew when there is more
  const fetching = useSignal("");
  const { samples } = following;
  const prompts = samples.at(-1)?.samples ?? [];
  if (prompts.length === 0)
    return isOver(run) || run.state !== "learning" ? null : (
      <section class="sung">
        <h2>What it sings</h2>
        <p class="muted">From time to time it composes for the same words. The first pieces come later.</p>
      </section>
    );
  const playing = player.track.value;
  const state = player.state.value;
  return (
    <section class="sung" aria-labelledby="sung-title">
      <h2 id="sung-title">What it sings</h2>
      <p class="muted">The same words and the same seed after more and more steps.</p>
      <ul>
        {prompts.map(({ index, prompt }) => (
          <li key={index}>
            <p>{prompt}</p>
            <div class="takes-of">
              {samples.map(({ step }) => {
                const key = keyOf(run.id, step, index);
                const here = playing?.take === key;
                const going = here && state === "playing";
                return (
                  <button
                    key={step}
                    type="button"
                    aria-pressed={going}
                    aria-label={`${prompt}, after ${step} steps`}
                    disabled={fetching.value === key}
                    onClick={() => {
                      if (here) return player.toggle();
                      fetching.value = key;
                      void attempt(() => hear(run, step, index, prompt)).then(() => {
                        fetching.value = "";
                      });
                    }}
                  >
                    <Icon name={going ? "pause" : "play"} filled={!going} />
                    {step}
                  </button>
                );
              })}
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

// --- internal ---

const tracks = new Map<string, Track>();
const mostTracks = 40;

/** In place of a take: there is none. */
const keyOf = (run: string, step: number, index: number): string => `${run} ${step} ${index}`;

async function hear(run: RunResource, step: number, index: number, prompt: string): Promise<void> {
  const rate = models.peek().find(({ name }) => name === run.model)?.sample_rate ?? 32_000;
  player.wake(rate); // while the button is being pressed
  const key = keyOf(run.id, step, index);
  let track = tracks.get(key);
  if (track === undefined) {
    const bytes = await (await client.training.sample(run.id, step, index)).arrayBuffer();
    const sound = await new OfflineAudioContext(1, 1, rate).decodeAudioData(bytes);
    const about = { name: `${prompt}, after ${step} steps`, address: `#train/${run.id}` };
    track = new Track(rate, sound.numberOfChannels, key, 0, about);
    track.add(
      0,
      Array.from({ length: sound.numberOfChannels }, (_, c) => sound.getChannelData(c)),
    );
    track.end();
    tracks.set(key, track);
    const [oldest] = tracks.keys();
    if (tracks.size > mostTracks) tracks.delete(oldest!);
  }
  player.load(track);
  player.play();
}
