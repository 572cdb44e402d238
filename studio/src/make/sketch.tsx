/** @file Before there is any music: what a hocket is, with a sketch of four voices that take turns. */

const turns = 64;
const [pitch, lane] = [20, 58];

export function Sketch() {
  return (
    <section class="stage sketch" aria-label="Nothing is composed yet">
      <svg width={turns * pitch} height={4 * lane} aria-hidden="true">
        {[0, 1, 2, 3].map((voice) =>
          Array.from({ length: turns }, (_, turn) => {
            const sings = turn % 4 === voice;
            const [width, height] = sings ? [15, lane - 18] : [4, 4];
            return (
              <rect
                key={`${voice} ${turn}`}
                class={sings ? `voice-${voice + 1}` : "rest"}
                style={{ "--turn": turn }}
                x={turn * pitch + (pitch - width) / 2}
                y={lane * voice + (lane - height) / 2}
                width={width}
                height={height}
                rx={sings ? 4 : 2}
              />
            );
          }),
        )}
      </svg>
      <p>
        <strong>A hocket is a melody shared between voices that take turns.</strong> Four voices make the sound here, a
        code at a time. Write what you would like to hear, or take an idea, and press <kbd>↵</kbd>: you will see them
        sing. <small>This picture is a sketch; the next one will not be.</small>
      </p>
    </section>
  );
}
