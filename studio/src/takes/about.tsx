/** @file How a take was made: every setting, in words. */

import type { Generation } from "../../../src/server/client.js";
import { loudnessOf } from "../sound/loudness.js";
import type { Track } from "../sound/track.js";
import { sectionsOf } from "../state/draft.js";
import { pieceOf } from "../ui/pieces.js";

export function About({ take, track }: { readonly take: Generation; readonly track: Track | undefined }) {
  const settings = take.settings ?? {};
  const loudness = track?.whole ? loudnessOf(track) : undefined;
  const rows: readonly (readonly [name: string, value: unknown])[] = [
    ["Model", take.model],
    ["Seed", take.pieces[pieceOf(take)]?.seed],
    ["Length", settings.duration === undefined ? undefined : `${settings.duration} s`],
    ["Guidance", settings.guidance],
    ["Temperature", settings.temperature],
    ["Top-k", settings.top_k],
    ["Top-p", settings.top_p || undefined],
    ["Greedy", settings.greedy ? "yes" : undefined],
    ["Melody", settings.melody ? "given" : undefined],
    ["Begins with", settings.continued ? "what was there" : undefined],
    [
      "Sections",
      sectionsOf(take)
        ?.map(({ prompt, duration }) => `${prompt || "without words"}, ${duration} s`)
        .join("; "),
    ],
    ["Composed anew", partOf(settings.regenerated)],
    ["Precision", settings.precision],
    ["Loudness", loudness && level(loudness.integrated, "LUFS")],
    ["Peak", loudness && level(loudness.peak, "dB")],
    [
      "Composed in",
      take.seconds === null
        ? undefined
        : `${take.seconds.toFixed(1)} s, ${take.real_time_factor?.toFixed(1)}× real time`,
    ],
    ["Made", new Date(take.created_at).toLocaleString()],
    ["Licence", take.licence ?? "not stated"],
  ];
  return (
    <section aria-label="How it was made">
      <dl class="facts">
        {rows
          .filter(([, value]) => value !== undefined)
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{`${value}`}</dd>
            </div>
          ))}
      </dl>
      {take.notes.map((note) => (
        <p key={note} class="muted">
          {note}
        </p>
      ))}
    </section>
  );
}

// --- internal ---

function partOf(region: unknown): string | undefined {
  if (region === undefined) return undefined;
  const { from, to, candidates } = region as {
    readonly from: number;
    readonly to: number;
    readonly candidates: number;
  };
  return `${from} to ${to} s, the best of ${candidates}`;
}

const level = (decibel: number, unit: string): string =>
  Number.isFinite(decibel) ? `${decibel.toFixed(1).replace("-", "−")} ${unit}` : "silence";
