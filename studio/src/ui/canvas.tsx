/** @file A canvas that is sharp on any screen, and drawn anew while something moves or when something has changed. */

import { useEffect, useRef } from "preact/hooks";
import { palette } from "../figures/palette.js";

export interface CanvasProps {
  /** Draws at the size given, in pixels of the page. @returns whether to draw again at the next frame */
  readonly draw: (ctx: CanvasRenderingContext2D, width: number, height: number) => boolean;
  /** What it shows, for those who do not see it. */
  readonly label: string;
  readonly class?: string;
  /** Anything that, when it differs, asks for drawing anew. */
  readonly when?: unknown;
}

export function Canvas({ draw, label, class: name, when }: CanvasProps) {
  const ref = useRef<HTMLCanvasElement>(null);
  const latest = useRef(draw);
  latest.current = draw;
  const wake = useRef(() => {});

  useEffect(() => {
    const canvas = ref.current!;
    const ctx = canvas.getContext("2d")!;
    let frame = 0;
    let seen = true;
    const paint = () => {
      frame = 0;
      const [width, height] = [canvas.clientWidth, canvas.clientHeight];
      if (width === 0 || height === 0) return;
      const scale = Math.min(2, devicePixelRatio);
      const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
      if (canvas.width !== w || canvas.height !== h) {
        canvas.width = w;
        canvas.height = h;
      }
      ctx.setTransform(scale, 0, 0, scale, 0, 0);
      if (latest.current(ctx, width, height)) wake.current();
    };
    wake.current = () => {
      if (frame === 0 && seen) frame = requestAnimationFrame(paint);
    };
    const sizes = new ResizeObserver(() => wake.current());
    const sight = new IntersectionObserver(([entry]) => {
      seen = entry!.isIntersecting;
      wake.current();
    });
    sizes.observe(canvas);
    sight.observe(canvas);
    const stop = palette.subscribe(() => wake.current());
    return () => {
      cancelAnimationFrame(frame);
      sizes.disconnect();
      sight.disconnect();
      stop();
    };
  }, []);

  useEffect(() => wake.current(), [when]);
  return <canvas ref={ref} class={name} role="img" aria-label={label} />;
}
