/** @file A take's waveform: press to go there, drag to choose a part. */

import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import WaveSurfer from "wavesurfer.js";
import Regions from "wavesurfer.js/plugins/regions";
import { palette } from "../figures/palette.js";
import { levelsOf } from "../figures/wave.js";
import { player } from "../sound/player.js";
import type { Track } from "../sound/track.js";

export interface Part {
  /** Seconds. */
  readonly start: number;
  readonly end: number;
}

/** What is chosen of the take that is looked at. */
export const part = signal<Part | undefined>(undefined);

/** @param mine whether it is what the player plays */
export function Wave({ track, mine }: { readonly track: Track; readonly mine: boolean }) {
  const ref = useRef<HTMLDivElement>(null);
  const surfer = useRef<WaveSurfer | undefined>(undefined);
  const colours = palette.value;
  const sounding = useRef(mine);
  sounding.current = mine;

  useEffect(() => {
    if (colours === undefined) return;
    const regions = Regions.create();
    const wave = WaveSurfer.create({
      container: ref.current!,
      height: 88,
      waveColor: colours.muted,
      progressColor: colours.ink,
      cursorColor: colours.ink,
      barWidth: 2,
      barGap: 1,
      barRadius: 1,
      peaks: [levelsOf(track, 1200, track.seconds)],
      duration: track.seconds,
      plugins: [regions],
    });
    surfer.current = wave;
    const colour = `color-mix(in srgb, ${colours.shades[1]![0]} 32%, transparent)`;
    regions.enableDragSelection({ color: colour });
    regions.on("region-created", (region) => {
      for (const other of regions.getRegions()) if (other !== region) other.remove();
      part.value = { start: region.start, end: region.end };
    });
    regions.on("region-updated", ({ start, end }) => {
      part.value = { start, end };
    });
    regions.on("region-double-clicked", (region) => {
      region.remove();
      part.value = undefined;
    });
    wave.on("interaction", (time) => {
      if (!sounding.current) player.load(track);
      player.seek(time);
    });
    let ready = false;
    const show = (chosen = part.peek()) => {
      if (!ready) return; // without its length it would cut the part off
      const [region] = regions.getRegions();
      if (chosen === undefined) regions.clearRegions();
      else if (region === undefined) regions.addRegion({ ...chosen, color: colour });
      else if (region.start !== chosen.start || region.end !== chosen.end) region.setOptions(chosen);
    };
    const stop = part.subscribe(show);
    wave.once("ready", () => {
      ready = true;
      show();
    });
    return () => {
      stop();
      wave.destroy();
    };
  }, [track, colours]);

  const playing = mine && player.state.value === "playing";
  const moved = player.seeks.value;
  useEffect(() => {
    let frame = 0;
    const follow = () => {
      surfer.current?.setTime(sounding.current ? player.position() : 0);
      if (playing) frame = requestAnimationFrame(follow);
    };
    follow();
    return () => cancelAnimationFrame(frame);
  }, [playing, mine, moved, track, colours]);

  return <div class="surfer" ref={ref} />;
}
