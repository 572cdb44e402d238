/** @file The takes made last, as small weaves: each looks like what it is made of. */

import { addressOf } from "../state/place.js";
import { nameOf, newest, secondsOf } from "../state/takes.js";
import { Weave } from "../ui/weave.js";

export function Latest({ except }: { readonly except: string | undefined }) {
  const takes = newest.value.filter(({ id, state }) => id !== except && state === "done").slice(0, 8);
  if (takes.length === 0) return null;
  return (
    <section class="latest" aria-labelledby="latest-title">
      <h2 id="latest-title">Lately</h2>
      <ul>
        {takes.map((take) => (
          <li key={take.id}>
            <a href={addressOf("takes", take.id)}>
              <Weave take={take} />
              <span>{nameOf(take).slice(0, 120)}</span>
              <small>{secondsOf(take).toFixed(1)} s</small>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
