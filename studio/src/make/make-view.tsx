/** @file Make: the words, the settings, and the music that grows beneath them. */

import { useEffect } from "preact/hooks";
import { compose, refusal } from "../state/compose.js";
import { change, chosenModel, draft } from "../state/draft.js";
import { place, replace } from "../state/place.js";
import { listed, newest, takeOf, underway } from "../state/takes.js";
import { ideasFor } from "./ideas.js";
import { Latest } from "./latest.js";
import { begin, Sections } from "./sections.js";
import { Settings } from "./settings.js";
import { Source } from "./source.js";
import { Stage } from "./stage.js";

export function MakeView() {
  const take = takeOf(place.value.ids[0]) ?? underway.value[0];
  useEffect(() => {
    const missing = place.value.ids[0];
    if (missing !== undefined && listed.value && takeOf(missing) === undefined) replace("make");
  });
  return (
    <>
      <form
        class="order"
        onSubmit={(event) => {
          event.preventDefault();
          void compose();
        }}
      >
        {draft.value.sections === undefined || draft.value.region !== undefined ? (
          <Prompt />
        ) : (
          <Sections sections={draft.value.sections} />
        )}
        <Source />
        <Settings />
        {refusal.value !== undefined && (
          <p class="problem" role="alert">
            {refusal.value.message}
          </p>
        )}
      </form>
      <Stage take={take} />
      {newest.value.length > 0 && <Latest except={take?.id} />}
    </>
  );
}

// --- internal ---

function Prompt() {
  const { prompt } = draft.value;
  const ideas = ideasFor(chosenModel.value?.name).filter((idea) => idea !== prompt);
  return (
    <div class={`prompt${refusal.value?.field === "prompt" ? " wrong" : ""}`}>
      <label for="prompt">What should it sound like?</label>
      <div class="grow" data-text={`${prompt} `}>
        <textarea
          id="prompt"
          data-writing
          rows={1}
          spellcheck={false}
          placeholder="bright bells over house drums"
          maxLength={20_000}
          value={prompt}
          onInput={({ currentTarget }) => change({ prompt: currentTarget.value })}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
            event.preventDefault();
            void compose();
          }}
        />
      </div>
      <ul class="ideas" aria-label="Ideas">
        {ideas.slice(0, 5).map((idea) => (
          <li key={idea}>
            <button type="button" title={idea} onClick={() => change({ prompt: idea })}>
              {idea}
            </button>
          </li>
        ))}
      </ul>
      {draft.value.region === undefined && (
        <button type="button" class="link" onClick={begin}>
          Other words later on
        </button>
      )}
    </div>
  );
}
