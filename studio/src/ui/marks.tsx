/** @file Beneath a take's waveform: where its words change, and which part was composed anew. */

import type { Generation } from "../../../src/server/client.js";
import { regionOf, sectionsOf } from "../state/draft.js";
import { secondsOf } from "../state/takes.js";

export function Marks({ take }: { readonly take: Generation }) {
  const sections = sectionsOf(take);
  const region = regionOf(take.request.regenerate);
  if (region !== undefined) {
    const share = (seconds: number) => `${(100 * seconds) / secondsOf(take)}%`;
    return (
      <div class="marks" role="img" aria-label={`Composed anew from ${region.start} to ${region.end} s`}>
        <span class="anew" style={{ left: share(region.start), width: share(region.end - region.start) }}>
          anew
        </span>
      </div>
    );
  }
  if (sections === undefined) return null;
  return (
    <ol class="marks" aria-label="Sections">
      {sections.map(({ prompt, duration }, i) => (
        <li key={`${i} ${prompt}`} class={`tint-${i % 4}`} style={{ flexGrow: duration }} title={prompt}>
          {prompt || "without words"}
        </li>
      ))}
    </ol>
  );
}
