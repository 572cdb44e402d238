/** @file Where a take comes from and what came from it, as a tree. */

import type { Generation } from "../../../src/server/client.js";
import { addressOf } from "../state/place.js";
import { nameOf, takeOf, takes } from "../state/takes.js";
import { Weave } from "../ui/weave.js";

const how: Record<NonNullable<Generation["relation"]>, string> = {
  vary: "varied",
  continue: "continued",
  melody: "its tune",
  region: "anew from a place",
  seed: "its seed",
};

export function Lineage({ take }: { readonly take: Generation }) {
  const children = new Map<string, Generation[]>();
  for (const each of takes.value.values())
    if (each.parent !== null) children.set(each.parent, [...(children.get(each.parent) ?? []), each]);
  let root = take;
  for (let up = takeOf(root.parent ?? undefined); up !== undefined; up = takeOf(root.parent ?? undefined)) root = up;
  if (root === take && !children.has(take.id))
    return take.parent === null ? null : <p class="muted">It comes from a take that was deleted.</p>;
  return (
    <ul class="lineage">
      <Branch take={root} here={take.id} children={children} />
    </ul>
  );
}

// --- internal ---

interface BranchProps {
  readonly take: Generation;
  readonly here: string;
  readonly children: ReadonlyMap<string, readonly Generation[]>;
}

function Branch({ take, here, children }: BranchProps) {
  const next = [...(children.get(take.id) ?? [])].sort((a, b) => (a.created_at < b.created_at ? -1 : 1));
  return (
    <li>
      <a href={addressOf("takes", take.id)} aria-current={take.id === here ? "true" : undefined}>
        <Weave take={take} />
        <span>{nameOf(take).slice(0, 80)}</span>
        {take.relation !== null && (
          <small>{take.request.regenerate === undefined ? how[take.relation] : "a part anew"}</small>
        )}
      </a>
      {next.length > 0 && (
        <ul>
          {next.map((each) => (
            <Branch key={each.id} take={each} here={here} children={children} />
          ))}
        </ul>
      )}
    </li>
  );
}
