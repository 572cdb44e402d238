/** @file Time: as people read it, and as the screen counts it. */

import { useEffect, useState } from "preact/hooks";

/** 1:05.2 */
export function clock(seconds: number): string {
  const tenths = Math.floor(seconds * 10 + 1e-6);
  const [minutes, rest] = [Math.floor(tenths / 600), tenths % 600];
  return `${minutes}:${`${Math.floor(rest / 10)}`.padStart(2, "0")}.${rest % 10}`;
}

/** Renders the component again and again while `moving`, so many times a second at most. */
export function useFrames(moving: boolean, rate = 12): void {
  const [, turn] = useState(0);
  useEffect(() => {
    if (!moving) return turn((n) => n + 1);
    const timer = setInterval(() => turn((n) => n + 1), 1000 / rate);
    return () => clearInterval(timer);
  }, [moving, rate]);
}

/** How long ago, in words; the date where that is more than a day. */
export function ago(time: string, now = Date.now()): string {
  const minutes = Math.floor((now - Date.parse(time)) / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ago`;
  return new Date(time).toLocaleDateString(undefined, { day: "numeric", month: "short", year: "numeric" });
}
