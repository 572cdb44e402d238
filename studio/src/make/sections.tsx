/** @file Words that change along the next take: a timeline whose boundaries can be moved, and the words of each section. */

import { useRef } from "preact/hooks";
import { compose, refusal } from "../state/compose.js";
import { change, draft, type Section } from "../state/draft.js";
import { Icon } from "../ui/icons.js";
import { changed, lengthOf, longer, moved, shortest, startOf, without } from "./timeline.js";

/** Seconds of a take at most, and sections. */
const [longest, most] = [300, 64];
/** Seconds by which the arrow keys move a boundary. */
const nudge = 0.5;

export function Sections({ sections }: { readonly sections: readonly Section[] }) {
  const put = (next: readonly Section[]) => change({ sections: next });
  const remove = (i: number) => {
    const left = without(sections, i);
    if (left.length > 1) put(left);
    else change({ sections: undefined, prompt: left[0]!.prompt, duration: lengthOf(sections) });
    requestAnimationFrame(() => document.querySelector<HTMLElement>("[data-writing]")?.focus());
  };
  const wrong = /^sections(?:\.(\d+))?/.exec(refusal.value?.field ?? "");
  return (
    <fieldset class={`sections${wrong ? " wrong" : ""}`}>
      <legend>What should it sound like, one after the other?</legend>
      <Timeline sections={sections} put={put} />
      <ol>
        {sections.map((section, i) => (
          <li key={i} class={`tint-${i % 4}${wrong?.[1] === `${i}` ? " wrong" : ""}`}>
            <span class="when">{clock(startOf(sections, i))}</span>
            <div class="grow" data-text={`${section.prompt} `}>
              <textarea
                {...(i === 0 ? { id: "prompt", "data-writing": true } : {})}
                aria-label={`Words of section ${i + 1}`}
                rows={1}
                spellcheck={false}
                placeholder={i === 0 ? "slow piano, alone" : "drums come in"}
                maxLength={20_000}
                value={section.prompt}
                onInput={({ currentTarget }) => put(changed(sections, i, { prompt: currentTarget.value }))}
                onKeyDown={(event) => {
                  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
                  event.preventDefault();
                  void compose();
                }}
              />
            </div>
            <Seconds
              label={`Seconds of section ${i + 1}`}
              value={section.duration}
              most={longest - lengthOf(sections) + section.duration}
              onChange={(duration) => put(changed(sections, i, { duration }))}
            />
            <button type="button" class="quiet" aria-label={`Without section ${i + 1}`} onClick={() => remove(i)}>
              <Icon name="close" />
            </button>
          </li>
        ))}
      </ol>
      <button
        type="button"
        class="link"
        disabled={sections.length >= most || lengthOf(sections) > longest - shortest}
        onClick={() => {
          put(longer(sections, longest));
          requestAnimationFrame(() => document.querySelector<HTMLElement>(".sections li:last-child textarea")?.focus());
        }}
      >
        Another section
      </button>
    </fieldset>
  );
}

/** From one prompt to sections: its words first, the rest of the length for others. */
export function begin(): void {
  const { prompt, duration } = draft.peek();
  const first = Math.round(10 * Math.max(shortest, duration / 2)) / 10;
  const second = Math.round(10 * Math.max(shortest, duration - first)) / 10;
  change({
    sections: [
      { prompt, duration: first },
      { prompt: "", duration: second },
    ],
  });
  requestAnimationFrame(() => document.querySelector<HTMLElement>(".sections li:last-child textarea")?.focus());
}

// --- internal ---

interface TimelineProps {
  readonly sections: readonly Section[];
  readonly put: (sections: readonly Section[]) => void;
}

function Timeline({ sections, put }: TimelineProps) {
  const bar = useRef<HTMLDivElement>(null);
  const total = lengthOf(sections);
  const under = (event: PointerEvent): number => {
    const { left, width } = bar.current!.getBoundingClientRect();
    return (total * (event.clientX - left)) / width;
  };
  return (
    <div class="timeline" ref={bar}>
      {sections.map((section, i) => (
        <span key={i} class={`tint-${i % 4}`} style={{ flexGrow: section.duration }} title={section.prompt} />
      ))}
      {sections.slice(1).map((_, n) => {
        const i = n + 1;
        const at = startOf(sections, i);
        return (
          <span
            key={i}
            class="boundary"
            role="slider"
            tabIndex={0}
            aria-label={`Where section ${i + 1} begins`}
            aria-valuemin={startOf(sections, i - 1)}
            aria-valuemax={startOf(sections, i + 1)}
            aria-valuenow={at}
            aria-valuetext={`${at.toFixed(1)} seconds`}
            style={{ left: `${(100 * at) / total}%` }}
            onPointerDown={(event) => {
              event.currentTarget.setPointerCapture(event.pointerId);
              event.currentTarget.focus();
              event.preventDefault();
            }}
            onPointerMove={(event) =>
              event.currentTarget.hasPointerCapture(event.pointerId) && put(moved(sections, i, under(event)))
            }
            onKeyDown={(event) => {
              const turn = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
              if (turn === undefined) return;
              event.preventDefault();
              put(moved(sections, i, at + turn * nudge));
            }}
          >
            <small>{clock(at)}</small>
          </span>
        );
      })}
    </div>
  );
}

interface SecondsProps {
  readonly label: string;
  readonly value: number;
  readonly most: number;
  readonly onChange: (seconds: number) => void;
}

function Seconds({ label, value, most, onChange }: SecondsProps) {
  return (
    <span class="seconds">
      <input
        inputMode="decimal"
        aria-label={label}
        value={`${value}`}
        onChange={({ currentTarget }) => {
          const number = Number(currentTarget.value.replace(",", "."));
          if (currentTarget.value.trim() !== "" && Number.isFinite(number))
            onChange(Math.round(10 * Math.max(shortest, Math.min(most, number))) / 10);
          currentTarget.value = `${value}`;
        }}
      />
      s
    </span>
  );
}

/** 0:04, or 0:04.5 between seconds. */
function clock(seconds: number): string {
  const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60];
  const tenths = Math.round(10 * rest) % 10;
  return `${minutes}:${`${Math.floor(rest + 0.05)}`.padStart(2, "0")}${tenths === 0 ? "" : `.${tenths}`}`;
}
