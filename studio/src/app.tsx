/** @file The page: where one can go, what is shown there, and the player beneath. */

import type { ComponentType } from "preact";
import { helpOpen } from "./keys.js";
import { MakeView } from "./make/make-view.js";
import { addressOf, place, type View } from "./state/place.js";
import { line } from "./state/server.js";
import { listed, takes, underway } from "./state/takes.js";
import { theme, turnTheme } from "./state/theme.js";
import { said } from "./state/words.js";
import { Help } from "./ui/help.js";
import { Icon, Mark } from "./ui/icons.js";
import { lazyView } from "./ui/lazy.js";
import { Lock } from "./ui/lock.js";
import { PlayerBar } from "./ui/player-bar.js";

const shown: Record<View, ComponentType> = {
  make: MakeView,
  takes: lazyView(() => import("./takes/takes-view.js").then(({ TakesView }) => TakesView)),
  compare: lazyView(() => import("./compare/compare-view.js").then(({ CompareView }) => CompareView)),
  models: lazyView(() => import("./models/models-view.js").then(({ ModelsView }) => ModelsView)),
  train: lazyView(() => import("./train/train-view.js").then(({ TrainView }) => TrainView)),
};

export function App() {
  const { view } = place.value;
  const Shown = shown[view];
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById("main")?.focus()}>
        To the content
      </button>
      <header class="top">
        <a class="wordmark" href={addressOf("make")} aria-label="Hocket: make">
          <Mark />
          <span>hocket</span>
        </a>
        <nav aria-label="Views">
          <Tab view="make" name="Make" />
          <Tab view="takes" name="Takes" count={listed.value ? takes.value.size : undefined} />
          <Tab view="models" name="Models" />
          <Tab view="train" name="Train" />
        </nav>
        <div class="side">
          <Line />
          <button
            type="button"
            class="quiet"
            aria-label="Keys"
            title="Keys (?)"
            onClick={() => (helpOpen.value = true)}
          >
            <span class="glyph">?</span>
          </button>
          <button
            type="button"
            class="quiet"
            aria-label={theme.value === "light" ? "Dark colours" : "Light colours"}
            onClick={turnTheme}
          >
            <Icon name={theme.value === "light" ? "moon" : "sun"} />
          </button>
        </div>
      </header>
      {line.value === "lost" && (
        <p class="banner" role="alert">
          <strong>The server does not answer.</strong> What was ordered is kept and goes on when it is back; this page
          looks for it every second. If you ended it, start it again: <code>hocket serve</code>
        </p>
      )}
      <main id="main" tabIndex={-1} class={`view-${view}`}>
        {line.value === "locked" ? <Lock /> : <Shown />}
      </main>
      {view !== "compare" && <PlayerBar />}
      <Help />
      <output class={`toast${said.value === "" ? "" : " shown"}`}>{said.value}</output>
    </>
  );
}

// --- internal ---

function Tab({
  view,
  name,
  count,
}: {
  readonly view: View;
  readonly name: string;
  readonly count?: number | undefined;
}) {
  const here = place.value.view === view || (view === "takes" && place.value.view === "compare");
  return (
    <a href={addressOf(view)} aria-current={here ? "page" : undefined}>
      {name}
      {count !== undefined && count > 0 && <small>{count}</small>}
    </a>
  );
}

function Line() {
  const busy = underway.value.length > 0;
  const words = {
    connecting: "looking for the server",
    open: busy ? "composing" : "ready",
    lost: "no server",
    locked: "locked",
  };
  return <output class={`line ${line.value}${busy ? " busy" : ""}`}>{words[line.value]}</output>;
}
