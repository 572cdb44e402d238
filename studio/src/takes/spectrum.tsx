/** @file A take's spectrogram, when it is asked for. */

import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { palette } from "../figures/palette.js";
import { frequencyOf, spectrogram } from "../figures/spectrogram.js";
import { player } from "../sound/player.js";
import type { Track } from "../sound/track.js";
import { Canvas } from "../ui/canvas.js";
import { Icon } from "../ui/icons.js";

const shown = { columns: 700, rows: 128 };

export function Spectrum({ track }: { readonly track: Track }) {
  const open = useSignal(false);
  return (
    <section class="spectrum">
      <button
        type="button"
        class="more"
        aria-expanded={open.value}
        onClick={() => {
          open.value = !open.value;
        }}
      >
        Spectrogram <Icon name="more" />
      </button>
      {open.value && <Picture track={track} />}
    </section>
  );
}

// --- internal ---

function Picture({ track }: { readonly track: Track }) {
  const colours = palette.value;
  const picture = useMemo(() => {
    if (colours === undefined) return undefined;
    const canvas = new OffscreenCanvas(shown.columns, shown.rows);
    canvas
      .getContext("2d")!
      .putImageData(
        spectrogram(track, shown.columns, shown.rows, [colours.paper, colours.empty, colours.muted, colours.ink]),
        0,
        0,
      );
    return canvas;
  }, [track, colours]);
  const mine = player.track.value === track;
  return (
    <figure>
      <Canvas
        label={`Spectrogram, from ${Math.round(frequencyOf(shown.rows, shown.rows, track.sampleRate))} to ${track.sampleRate / 2} Hz`}
        when={`${mine} ${player.state.value} ${player.seeks.value}`}
        draw={(ctx, width, height) => {
          if (picture === undefined || colours === undefined) return false;
          ctx.drawImage(picture, 0, 0, width, height);
          ctx.font = "12px system-ui";
          ctx.fillStyle = colours.ink;
          for (const hertz of [100, 1000, 5000])
            if (hertz < track.sampleRate / 2) {
              const row = shown.rows * (1 - Math.log(hertz / 50) / Math.log(track.sampleRate / 100));
              ctx.fillText(hertz < 1000 ? `${hertz} Hz` : `${hertz / 1000} kHz`, 8, (row * height) / shown.rows + 4);
            }
          if (!mine) return false;
          ctx.fillRect((player.position() / track.seconds) * width, 0, 1.5, height);
          return player.state.peek() === "playing";
        }}
      />
    </figure>
  );
}
