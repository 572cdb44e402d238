/** @file What the next take comes from: another take's sound, or its seed. */

import { useEffect } from "preact/hooks";
import { change, draft, type Source as From } from "../state/draft.js";
import { addressOf } from "../state/place.js";
import { listed, nameOf, takeOf } from "../state/takes.js";
import { Icon } from "../ui/icons.js";

export function Source() {
  const { intro, melody, region, parent, relation } = draft.value;
  useEffect(() => {
    if (!listed.value) return;
    const gone = (id: string | undefined) => id !== undefined && takeOf(id) === undefined;
    if (gone(intro?.generation)) change({ intro: undefined });
    if (gone(region?.generation)) change({ region: undefined });
    if (gone(melody?.generation)) change({ melody: undefined });
    if (gone(parent)) change({ parent: undefined, relation: undefined });
  });
  const alone = intro === undefined && melody === undefined && region === undefined ? takeOf(parent) : undefined;
  return (
    <>
      {region !== undefined && (
        <Chip
          words="Composes a part anew of"
          from={region}
          onClose={() => change({ region: undefined, parent: undefined, relation: undefined })}
        />
      )}
      {intro !== undefined && region === undefined && (
        <Chip
          words={relation === "region" ? "Composed anew from" : "Goes on from"}
          from={intro}
          onClose={() => change({ intro: undefined, parent: undefined, relation: undefined })}
        />
      )}
      {melody !== undefined && (
        <Chip
          words="Follows the tune of"
          from={melody}
          onClose={() => change({ melody: undefined, parent: undefined, relation: undefined })}
        />
      )}
      {alone !== undefined && relation === "seed" && (
        <Chip
          words="With the seed of"
          from={{ generation: alone.id, piece: 0 }}
          onClose={() => change({ parent: undefined, relation: undefined, lockSeed: false })}
        />
      )}
    </>
  );
}

// --- internal ---

function Chip({ words, from, onClose }: { readonly words: string; readonly from: From; readonly onClose: () => void }) {
  const take = takeOf(from.generation);
  const part =
    from.end !== undefined
      ? `${(from.start ?? 0).toFixed(1)} to ${from.end.toFixed(1)} s`
      : from.start !== undefined
        ? `from ${from.start.toFixed(1)} s`
        : "";
  return (
    <p class="source">
      <span>{words}</span>{" "}
      <a href={addressOf("takes", from.generation)}>{take === undefined ? "a take" : nameOf(take).slice(0, 80)}</a>{" "}
      {part !== "" && <span>{part}</span>}
      <button type="button" aria-label="Without it" onClick={onClose}>
        <Icon name="close" />
      </button>
    </p>
  );
}
