/** @file What can be made from a take: another like it, more of it, something along its tune, its end anew. */

import type { Generation } from "../../../src/server/client.js";
import { compose } from "../state/compose.js";
import { anySeed, change, draftFrom, wordsAt } from "../state/draft.js";
import { go } from "../state/place.js";
import { musicModels } from "../state/server.js";
import { secondsOf } from "../state/takes.js";
import { part } from "./wave.js";

/** Seconds that a continuation adds, until somebody says otherwise. */
const further = 4;

const hundredths = (seconds: number): number => Math.round(100 * seconds) / 100;

export function Actions({ take, piece }: { readonly take: Generation; readonly piece: number }) {
  const seconds = secondsOf(take);
  const chosen = part.value;
  const singer =
    musicModels.value.find(({ name, melody }) => melody && name === take.model) ??
    musicModels.value.find(({ melody }) => melody);
  const from = { ...draftFrom(take), variations: 1, seed: anySeed(), lockSeed: false };
  const source = { generation: take.id, piece };
  /** The settings alone, with the words that hold at this second. */
  const at = (second: number) => ({ ...from, prompt: wordsAt(take, second), sections: undefined, region: undefined });
  const prepare = (draft: Parameters<typeof change>[0]) => {
    change({ intro: undefined, melody: undefined, sections: undefined, region: undefined, ...draft });
    go("make");
    requestAnimationFrame(() => document.getElementById("prompt")?.focus());
  };
  return (
    <div class="actions">
      <fieldset aria-label="Make from it">
        <button
          type="button"
          class="plain"
          title="The same words with another seed, at once"
          onClick={() => void compose({ ...from, relation: "vary" })}
        >
          Vary
        </button>
        <button
          type="button"
          class="plain"
          title="Go on from its end"
          onClick={() => {
            const length = chosen === undefined ? seconds : chosen.end - chosen.start;
            const duration = Math.min(300, Math.round(10 * (length + further)) / 10);
            prepare({
              ...at(chosen?.end ?? seconds),
              melody: undefined,
              intro: { ...source, ...chosen },
              duration,
              relation: "continue",
            });
          }}
        >
          Continue{chosen !== undefined && " the part"}
        </button>
        <button
          type="button"
          class="plain"
          disabled={chosen === undefined}
          title={
            chosen === undefined
              ? "Choose a part first: it is composed anew, and what is before and after it stays"
              : "Compose the part anew; what is before and after it stays"
          }
          onClick={() =>
            prepare({
              ...at(chosen!.start),
              intro: undefined,
              region: { ...source, start: hundredths(chosen!.start), end: hundredths(chosen!.end) },
              relation: "region",
            })
          }
        >
          Regenerate {chosen === undefined ? "a part" : "the part"}
        </button>
        <button
          type="button"
          class="plain"
          disabled={chosen === undefined || chosen.start < 0.1}
          title={
            chosen === undefined
              ? "Choose a part first: what is before it stays, the rest is composed anew"
              : "What is before the part stays, the rest is composed anew"
          }
          onClick={() =>
            prepare({
              ...at(chosen!.start),
              intro: { ...source, start: 0, end: chosen!.start },
              duration: Math.round(10 * seconds) / 10,
              relation: "region",
            })
          }
        >
          Anew from {chosen === undefined ? "here" : `${chosen.start.toFixed(1)} s`}
        </button>
        <button
          type="button"
          class="plain"
          disabled={singer === undefined}
          title={singer === undefined ? "No model on this machine follows a melody" : `${singer.name} follows its tune`}
          onClick={() =>
            prepare({
              ...at(chosen?.start ?? 0),
              intro: undefined,
              model: singer!.name,
              melody: { ...source, ...chosen },
              relation: "melody",
            })
          }
        >
          Use as melody
        </button>
        <button
          type="button"
          class="plain"
          title="Its seed and settings, with other words"
          onClick={() =>
            prepare({
              ...draftFrom(take),
              seed: take.pieces[piece]!.seed,
              variations: 1,
              lockSeed: true,
              relation: "seed",
            })
          }
        >
          Same seed
        </button>
        <button
          type="button"
          class="plain"
          title="Against another take, without knowing which"
          onClick={() => go("compare", take.id)}
        >
          Compare blind
        </button>
      </fieldset>
    </div>
  );
}
