/** @file How a model shall learn from what was found: the few things that one decides, and the start. */

import { useSignal } from "@preact/signals";
import type { MusicResource, RunInput } from "../../../src/server/client.js";
import { ApiError } from "../../../src/server/client.js";
import { ideasFor } from "../make/ideas.js";
import { go } from "../state/place.js";
import { client, line, messageOf, models, musicModels, noteLoss } from "../state/server.js";
import { Icon } from "../ui/icons.js";
import { ModelChoice } from "../ui/model-choice.js";
import { NumberField } from "../ui/number-field.js";
import { putRun, runs } from "./state.js";

interface Chosen {
  readonly name: string;
  readonly model: string | undefined;
  readonly what: "adapter" | "whole";
  readonly steps: number;
  /** Left out: the usual of what learns. */
  readonly rate: string;
  readonly rank: number;
  readonly batch: number;
  readonly seconds: number | undefined;
  readonly prompts: string;
}

export function Plan({ music }: { readonly music: MusicResource }) {
  const chosen = useSignal<Chosen>({
    name: freeName(music.name),
    ...{ model: undefined, what: "adapter", steps: 2000, rate: "", rank: 16, batch: 4, seconds: undefined },
    prompts: (music.words.length > 0
      ? music.words
      : ideasFor(models.peek().find((each) => each.default)?.name).slice(0, 2)
    ).join("\n"),
  });
  const more = useSignal(false);
  const refused = useSignal<{ readonly message: string; readonly field: string } | undefined>(undefined);
  const set = (change: Partial<Chosen>) => {
    chosen.value = { ...chosen.value, ...change };
    refused.value = undefined;
  };
  const { name, what, steps, rate, rank, batch, seconds, prompts } = chosen.value;
  const bases = musicModels.value.filter(({ name, run }) => run === null && !name.includes(" + "));
  const base = bases.find((each) => each.name === chosen.value.model) ?? bases.find((each) => each.default) ?? bases[0];
  const clip = Math.min(seconds ?? 10, base?.window ?? 10);
  const wrong = (field: string) => refused.value?.field.startsWith(field) === true;

  return (
    <section aria-labelledby="plan-title">
      <h1 id="plan-title">
        <span class="step">3</span> Let a model learn from it
      </h1>
      <form
        class="plan"
        onSubmit={(event) => {
          event.preventDefault();
          void start(music, { ...chosen.value, model: base?.name, seconds: clip }).then((problem) => {
            refused.value = problem;
          });
        }}
      >
        <div class="fields names">
          <div class={`field named${wrong("name") ? " wrong" : ""}`}>
            <label for="run-name">Call the result</label>
            <span class="value">
              <input
                id="run-name"
                value={name}
                maxLength={60}
                required
                aria-invalid={wrong("name")}
                onInput={({ currentTarget }) => set({ name: currentTarget.value })}
              />
            </span>
          </div>
          <div class="field model">
            <label for="base">The model that learns</label>
            <ModelChoice id="base" models={bases} chosen={base?.name} onChoose={(model) => set({ model })} />
            <small>{base?.commercial === false ? "not for commercial use, nor is what comes of it" : ""}</small>
          </div>
        </div>
        <fieldset class="ways">
          <legend>How</legend>
          <Way
            value="adapter"
            now={what}
            title="An adapter"
            says="A few numbers on top of the model, which stays as it is. The right thing for an hour of music or less."
            set={set}
          />
          <Way
            value="whole"
            now={what}
            title="The whole model"
            says="Every number of it learns, and a model of its own comes out. It takes more memory, and hours of music."
            set={set}
          />
        </fieldset>
        <div class="fields">
          <NumberField
            label="Steps"
            value={steps}
            min={1}
            max={1_000_000}
            slideTo={5000}
            step={50}
            hint="How long it learns; you can stop at any time, and hear it on the way"
            wrong={wrong("steps")}
            onChange={(value) => set({ steps: Math.round(value) })}
          />
          {what === "adapter" && (
            <NumberField
              label="Rank"
              value={rank}
              min={1}
              max={256}
              slideTo={64}
              step={1}
              hint="How much an adapter can learn: more takes more music"
              wrong={wrong("rank")}
              onChange={(value) => set({ rank: Math.round(value) })}
            />
          )}
          <button
            type="button"
            class="more"
            aria-expanded={more.value}
            aria-controls="more-plan"
            onClick={() => {
              more.value = !more.value;
            }}
          >
            {more.value ? "Less" : "More"}
            <Icon name="more" />
          </button>
        </div>
        {more.value && (
          <div class="fields" id="more-plan">
            <div class={`field${wrong("rate") ? " wrong" : ""}`} title="How far each step goes">
              <label for="rate">Rate</label>
              <span class="value">
                <input
                  id="rate"
                  inputMode="decimal"
                  placeholder={what === "adapter" ? "0.001" : "0.0001"}
                  value={rate}
                  aria-invalid={wrong("rate")}
                  aria-description="How far each step goes. Lower it where a run says that numbers grow without end"
                  onInput={({ currentTarget }) => set({ rate: currentTarget.value })}
                />
              </span>
            </div>
            <NumberField
              label="Clips a step"
              value={batch}
              min={1}
              max={64}
              slideTo={16}
              step={1}
              hint="Clips that each step hears: more is steadier, slower, and takes more memory"
              wrong={wrong("batch")}
              onChange={(value) => set({ batch: Math.round(value) })}
            />
            <NumberField
              label="Of each"
              unit="s"
              value={clip}
              min={0.5}
              max={base?.window ?? 30}
              step={0.5}
              hint="Seconds of each clip: shorter takes less memory"
              wrong={wrong("seconds")}
              onChange={(value) => set({ seconds: value })}
            />
          </div>
        )}
        <label class="asked">
          <span>To listen to on the way: what it is asked for again and again, one a line, four at most</span>
          <textarea
            rows={3}
            value={prompts}
            aria-invalid={wrong("prompts")}
            onInput={({ currentTarget }) => set({ prompts: currentTarget.value })}
          />
        </label>
        {refused.value !== undefined && (
          <p class="problem" role="alert">
            {refused.value.message}
          </p>
        )}
        <p class="buttons">
          <button type="submit" class="go" disabled={line.value !== "open" || base === undefined}>
            Start learning
          </button>
          <small>It lets music that you compose meanwhile go first.</small>
        </p>
      </form>
    </section>
  );
}

// --- internal ---

function Way({
  value,
  now,
  title,
  says,
  set,
}: {
  readonly value: Chosen["what"];
  readonly now: Chosen["what"];
  readonly title: string;
  readonly says: string;
  readonly set: (change: Partial<Chosen>) => void;
}) {
  return (
    <label class={value === now ? "chosen" : ""}>
      <input type="radio" name="what" value={value} checked={value === now} onChange={() => set({ what: value })} />
      <span>
        <b>{title}</b>
        <small>{says}</small>
      </span>
    </label>
  );
}

/** @returns what was wrong, and of which field */
async function start(
  { id }: MusicResource,
  { prompts, rate, ...plan }: Chosen,
): Promise<{ message: string; field: string } | undefined> {
  const asked = prompts.split("\n").map((line) => line.trim());
  const input: RunInput = {
    ...{ music: id, name: plan.name.trim(), what: plan.what, steps: plan.steps, rank: plan.rank, batch: plan.batch },
    ...(plan.model === undefined ? {} : { model: plan.model }),
    ...(plan.seconds === undefined ? {} : { seconds: plan.seconds }),
    ...(rate.trim() === "" ? {} : { rate: Number(rate.replace(",", ".")) }),
    prompts: asked.filter((line) => line !== ""),
  };
  try {
    const run = await client.training.train(input);
    putRun(run);
    go("train", run.id);
    return undefined;
  } catch (error) {
    noteLoss(error);
    return { message: messageOf(error), field: (error instanceof ApiError && error.problem?.field) || "" };
  }
}

/** The folder's name, as a model may be called, that no other is called. */
function freeName(folder: string): string {
  const taken = new Set([...models.peek(), ...runs.peek()].map(({ name }) => name.toLowerCase()));
  const plain = folder
    .replace(/[^\p{L}\p{M}\p{N} ._-]+/gu, " ")
    .replace(/^[^\p{L}\p{N}]+/u, "")
    .trim()
    .slice(0, 50);
  const name = plain === "" ? "mine" : plain;
  for (let i = 1; ; i++) {
    const candidate = i === 1 ? name : `${name} ${i}`;
    if (!taken.has(candidate.toLowerCase())) return candidate;
  }
}
