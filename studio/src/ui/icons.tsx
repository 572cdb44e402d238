/** @file The few signs of the instrument, drawn as lines of one weight. */

const paths = {
  play: "M8 5.5v13l10.5-6.5z",
  pause: "M8 5.5v13M16 5.5v13",
  stop: "M7 7h10v10H7z",
  dice: "M6 4.5h12A1.5 1.5 0 0 1 19.5 6v12a1.5 1.5 0 0 1-1.5 1.5H6A1.5 1.5 0 0 1 4.5 18V6A1.5 1.5 0 0 1 6 4.5zM9 9h.01M15 15h.01M12 12h.01M15 9h.01M9 15h.01",
  locked: "M6.5 11h11v8h-11zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  open: "M6.5 11h11v8h-11zM8.5 11V8a3.5 3.5 0 0 1 6.8-1.2",
  star: "M12 4.5l2.3 4.8 5.2.7-3.8 3.6.9 5.2-4.6-2.5-4.6 2.5.9-5.2L4.5 10l5.2-.7z",
  close: "M6.5 6.5l11 11M17.5 6.5l-11 11",
  sun: "M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM12 3v1.5M12 19.5V21M3 12h1.5M19.5 12H21M5.6 5.6l1.1 1.1M17.3 17.3l1.1 1.1M5.6 18.4l1.1-1.1M17.3 6.7l1.1-1.1",
  moon: "M19 14.5A7.5 7.5 0 0 1 9.5 5a7.5 7.5 0 1 0 9.5 9.5z",
  down: "M12 4.5v11M7.5 11.5l4.5 4.5 4.5-4.5M5 19.5h14",
  bin: "M5 7h14M9.5 7V5h5v2M7 7l.8 12h8.4L17 7",
  more: "M7 10l5 5 5-5",
  folder:
    "M4.5 7A1.5 1.5 0 0 1 6 5.5h3.5l2 2.5H18A1.5 1.5 0 0 1 19.5 9.5V17a1.5 1.5 0 0 1-1.5 1.5H6A1.5 1.5 0 0 1 4.5 17z",
  search: "M11 5a6 6 0 1 1 0 12 6 6 0 0 1 0-12zM15.5 15.5L20 20",
  microphone:
    "M12 4a2.5 2.5 0 0 1 2.5 2.5V11a2.5 2.5 0 0 1-5 0V6.5A2.5 2.5 0 0 1 12 4zM6.5 11a5.5 5.5 0 0 0 11 0M12 16.5V20",
  again: "M18.5 12a6.5 6.5 0 1 1-2-4.7M18.5 4.5v4h-4",
  loop: "M7 8h9a3.5 3.5 0 0 1 0 8h-1M17 16H8a3.5 3.5 0 0 1 0-8M9.5 5.5L7 8l2.5 2.5M14.5 13.5L17 16l-2.5 2.5",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, filled = false }: { readonly name: IconName; readonly filled?: boolean }) {
  return (
    <svg class={`icon${filled ? " filled" : ""}`} viewBox="0 0 24 24" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}

/** Four voices that take turns: the mark. `steps` moves them. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 28 24" aria-hidden="true">
      {[0, 1, 2, 3].map((voice) => (
        <rect
          key={voice}
          class={`voice-${voice + 1}`}
          x={1 + 7 * voice}
          y={1 + 4 * voice}
          width="5"
          height="10"
          rx="2.5"
        />
      ))}
    </svg>
  );
}
