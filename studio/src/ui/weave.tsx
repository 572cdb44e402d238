/** @file A take as a small picture: its codes, fetched when it comes into sight. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Generation } from "../../../src/server/client.js";
import { palette } from "../figures/palette.js";
import { drawStripes } from "../figures/score.js";
import { codesOf } from "../state/music.js";
import { secondsOf } from "../state/takes.js";
import { Canvas } from "./canvas.js";

export function Weave({ take }: { readonly take: Generation }) {
  const ref = useRef<HTMLSpanElement>(null);
  const seen = useSignal(false);
  useEffect(() => {
    const sight = new IntersectionObserver(([entry]) => {
      if (entry!.isIntersecting) seen.value = true;
    });
    sight.observe(ref.current!);
    return () => sight.disconnect();
  }, []);
  const music = seen.value && take.state === "done" ? codesOf(take.id) : undefined;
  return (
    <span class="weave" ref={ref} aria-hidden="true">
      <Canvas
        label=""
        when={`${take.id} ${music?.more.value}`}
        draw={(ctx, width, height) => {
          const { sound } = take;
          if (sound === null || palette.value === undefined) return false;
          const columns = Math.max(1, Math.round(secondsOf(take) * sound.frame_rate));
          drawStripes(ctx, width, height, { ...sound, codes: music?.codes[0] ?? [], columns }, palette.value);
          return false;
        }}
      />
    </span>
  );
}
