/** @file The settings of the next take: those that one always wants, and the others when asked for. */

import { useSignal } from "@preact/signals";
import { ordering, refusal } from "../state/compose.js";
import { anySeed, change, chosenModel, type Draft, defaultsOf, draft } from "../state/draft.js";
import { line, musicModels } from "../state/server.js";
import { cancelTake, underway } from "../state/takes.js";
import { Icon } from "../ui/icons.js";
import { ModelChoice } from "../ui/model-choice.js";
import { NumberField, type NumberFieldProps } from "../ui/number-field.js";
import { Melody } from "./melody.js";
import { lengthOf } from "./timeline.js";

export function Settings() {
  const { duration, sections, region, variations, guidance, temperature, topK } = draft.value;
  const changed = [guidance, temperature, topK].some((value) => value !== undefined) || variations > 1;
  const open = useSignal(changed);
  return (
    <div class="settings">
      <div class="fields">
        {region !== undefined ? (
          <Given seconds={region.end - region.start} why="of the part; the rest stays" />
        ) : sections !== undefined ? (
          <Given seconds={lengthOf(sections)} why="in all, as the sections say" />
        ) : (
          <NumberField
            label="Length"
            unit="s"
            value={duration}
            min={0.1}
            max={300}
            slideTo={30}
            step={0.5}
            hint="Seconds, what it continues included"
            wrong={refusal.value?.field === "duration" || refusal.value?.field === "continue"}
            onChange={(value) => change({ duration: value })}
          />
        )}
        <Seed />
        <Model />
        <button
          type="button"
          class={`more${changed ? " changed" : ""}`}
          aria-expanded={open.value}
          aria-controls="more-settings"
          onClick={() => {
            open.value = !open.value;
          }}
        >
          {open.value ? "Less" : "More"}
          <Icon name="more" />
        </button>
        <Go />
      </div>
      {open.value && (
        <div class="fields" id="more-settings">
          <Own
            field="guidance"
            setting="guidance"
            label="Guidance"
            min={0}
            max={100}
            slideTo={10}
            step={0.1}
            hint="How much to overstate the words: 1 is not at all"
          />
          <Own
            field="temperature"
            setting="temperature"
            label="Temperature"
            min={0}
            max={100}
            slideTo={2}
            step={0.05}
            hint="How daring: 0 always takes the likeliest code"
          />
          <Own
            field="topK"
            setting="top_k"
            label="Top-k"
            min={0}
            max={2048}
            slideTo={512}
            step={1}
            hint="Choose among so many of the likeliest codes; 0 is among all"
          />
          <NumberField
            label="Variations"
            value={variations}
            min={1}
            max={16}
            slideTo={8}
            step={1}
            hint="Pieces made at once, with seeds that count up"
            wrong={refusal.value?.field === "variations"}
            onChange={(value) => change({ variations: Math.round(value) })}
          />
        </div>
      )}
      {(open.value || chosenModel.value?.melody) && <Melody />}
    </div>
  );
}

// --- internal ---

/** A length that is said elsewhere. */
function Given({ seconds, why }: { readonly seconds: number; readonly why: string }) {
  return (
    <div class="field given">
      <span class="label">Length</span>
      <span class="value">
        {Number(seconds.toFixed(2))} <span class="unit">s</span>
      </span>
      <small>{why}</small>
    </div>
  );
}

type OwnProps = Omit<NumberFieldProps, "value" | "onChange" | "wrong"> & {
  readonly field: keyof Draft & ("guidance" | "temperature" | "topK");
  readonly setting: "guidance" | "temperature" | "top_k";
};

/** A setting that is the model's own until it is touched. */
function Own({ field, setting, ...rest }: OwnProps) {
  const value = draft.value[field];
  return (
    <div class="own">
      <NumberField
        {...rest}
        value={value ?? defaultsOf(setting)}
        wrong={refusal.value?.field === setting}
        onChange={(next) => change({ [field]: setting === "top_k" ? Math.round(next) : next })}
      />
      {value === undefined ? (
        <small>the model's own</small>
      ) : (
        <button type="button" class="link" onClick={() => change({ [field]: undefined })}>
          back to {defaultsOf(setting)}
        </button>
      )}
    </div>
  );
}

function Go() {
  const [first] = underway.value;
  const able = line.value === "open" && !ordering.value;
  return (
    <div class="go-row">
      <button type="submit" class="go" disabled={!able}>
        <span>Compose</span>
        <kbd>↵</kbd>
      </button>
      {first !== undefined && (
        <button type="button" class="plain stop" onClick={() => void cancelTake(first.id)}>
          Stop <kbd>esc</kbd>
        </button>
      )}
    </div>
  );
}

function Seed() {
  const { seed, lockSeed } = draft.value;
  return (
    <div class="field seed" title="The same seed and settings make the same music">
      <label for="seed">Seed</label>
      <span class="value">
        <input
          id="seed"
          inputMode="numeric"
          value={`${seed}`}
          aria-invalid={refusal.value?.field === "seed"}
          aria-description="The same seed and settings make the same music"
          onChange={({ currentTarget }) => {
            const number = Number(currentTarget.value);
            if (/^\d{1,15}$/.test(currentTarget.value)) change({ seed: number, lockSeed: true });
            else currentTarget.value = `${seed}`;
          }}
        />
      </span>
      <span class="buttons">
        <button
          type="button"
          aria-label="Another seed"
          title="Another seed"
          onClick={() => change({ seed: anySeed() })}
        >
          <Icon name="dice" />
        </button>
        <button
          type="button"
          aria-label="Keep this seed"
          title={lockSeed ? "The seed stays" : "A new seed each time"}
          aria-pressed={lockSeed}
          onClick={() => change({ lockSeed: !lockSeed })}
        >
          <Icon name={lockSeed ? "locked" : "open"} />
        </button>
      </span>
    </div>
  );
}

function Model() {
  const models = musicModels.value;
  return (
    <div class="field model">
      <label for="model">Model</label>
      <ModelChoice
        id="model"
        models={models}
        chosen={chosenModel.value?.name}
        onChoose={(model) => change({ model })}
      />
      <small class="licence">{licenceNote(chosenModel.value?.commercial)}</small>
    </div>
  );
}

const licenceNote = (commercial: boolean | null | undefined): string =>
  commercial === undefined
    ? ""
    : commercial === null
      ? "licence not known"
      : commercial
        ? "free to use"
        : "not for commercial use";
