/**
 * @file What drummers play: a bar of sixteen steps (twelve in three-four) for each drum. X accent, x stroke, o ghost note,
 * ? perhaps a ghost note. Swing moves the steps later.
 */

/** General MIDI's percussion keys. */
export const keys = {
  kick: 36,
  rim: 37,
  snare: 38,
  clap: 39,
  brush: 40,
  hat: 42,
  floor: 43,
  pedal: 44,
  low: 45,
  open: 46,
  mid: 47,
  crash: 49,
  high: 50,
  ride: 51,
  bell: 53,
  tambourine: 54,
  cowbell: 56,
  bongo: 60,
  mute: 62,
  conga: 63,
  tumba: 64,
  cabasa: 69,
  maracas: 70,
  claves: 75,
  triangle: 81,
  shaker: 82,
} as const;
export type Drum = keyof typeof keys;

export type Pattern = Readonly<Partial<Record<Drum, string>>>;

export interface Groove {
  readonly bar: Pattern;
  /** Where the music is at its loudest; `bar` where it is missing. */
  readonly loud?: Pattern;
  /** Quarter notes a minute between which it can be played and felt. */
  readonly from?: number;
  readonly to?: number;
}

export const grooves: Readonly<Record<string, readonly Groove[]>> = {
  rock: [
    {
      bar: { kick: "X.......x.x.....", snare: "....X.......X...", hat: "X.x.X.x.X.x.X.x." },
      loud: { kick: "X.......x.x.....", snare: "....X.......X...", ride: "X.x.X.x.X.x.X.x." },
    },
    {
      bar: { kick: "X.....x.x.......", snare: "....X..o....X..?", hat: "X.x.X.x.X.x.X.x." },
      loud: { kick: "X.....x.x.....x.", snare: "....X.......X...", open: "X...X...X...X..." },
    },
    { bar: { kick: "X..x..x...x.....", snare: "....X..?.?..X...", hat: "XoxoXoxoXoxoXoxo" }, to: 104 },
    { bar: { kick: "x...x...x...x...", snare: "....X.......X...", hat: "x.x.x.x.x.x.x.x." }, from: 96 },
    { bar: { kick: "X...x...X...x.x.", snare: "..X...X...X...X.", hat: "X.X.X.X.X.X.X.X." }, from: 138 },
    { bar: { kick: "X.........x.....", snare: "........X.......", hat: "X...x...X...x..." }, from: 120 },
  ],
  metal: [
    { bar: { kick: "XxxxXxxxXxxxXxxx", snare: "....X.......X...", ride: "X...X...X...X..." }, to: 132 },
    {
      bar: { kick: "X.xxX.xxX.xxX.xx", snare: "....X.......X...", hat: "X...X...X...X..." },
      loud: { kick: "X.xxX.xxX.xxX.xx", snare: "....X.......X...", crash: "X.......X......." },
      to: 160,
    },
    { bar: { kick: "XxxxXxxxXxxxXxxx", snare: "........X.......", open: "X...X...X...X..." }, to: 132 },
    { bar: { kick: "X.x.X.x.X.x.X.x.", snare: "....X.......X...", ride: "X...X...X...X..." }, from: 120 },
    { bar: { kick: "X.x.X.x.X.x.X.x.", snare: "..X...X...X...X.", hat: "X.x.X.x.X.x.X.x." }, from: 120 },
  ],
  pop: [
    { bar: { kick: "X.....x.x.......", snare: "....x.......x...", clap: "....X.......X...", hat: "x.x.x.x.x.x.x.x." } },
    {
      bar: { kick: "X..x....x..x....", clap: "....X.......X...", hat: "x.x.x.x.x.x.x.x.", shaker: "oxoxoxoxoxoxoxox" },
      to: 124,
    },
    {
      bar: { kick: "X.......X.x.....", clap: "....X.......X...", hat: "x.x.x.x.x.x.x.x." },
      loud: {
        kick: "X.......X.x.....",
        snare: "....X.......X...",
        clap: "....X.......X...",
        open: "..x...x...x...x.",
        tambourine: "x.x.x.x.x.x.x.x.",
      },
    },
    {
      bar: {
        kick: "X.......x.....x.",
        snare: "....x.......x..?",
        clap: "....X.......X...",
        hat: "xoxoxoxoxoxoxoxo",
        tambourine: "....x.......x...",
      },
      to: 100,
    },
  ],
  funk: [
    { bar: { kick: "X.x...x...x..x..", snare: "....X..o.o..X..o", hat: "XoxoXoxoXoxoXoxo" }, to: 116 },
    { bar: { kick: "X..x..x...X.....", snare: "....X..o.oo.X..o", hat: "x.x.x.x.x.x.x...", open: "..............x." } },
    {
      bar: {
        kick: "X.....xx..x..x..",
        snare: "....X.?o.o..X.?.",
        hat: "X.x.X.x.X.x.X.x.",
        cowbell: "x...x...x...x...",
      },
    },
  ],
  shuffle: [
    { bar: { kick: "X.......X.....?.", snare: "....X.......X...", ride: "X.x.X.x.X.x.X.x." } },
    { bar: { kick: "X.....x.X.......", snare: "..o.X.o...o.X.o.", hat: "X.x.X.x.X.x.X.x." } },
    { bar: { kick: "X.......X.x.....", snare: "....X.......X...", hat: "Xxx.Xxx.Xxx.Xxx." }, to: 84 },
  ],
  jazz: [
    {
      bar: { ride: "X...X.x.X...X.x.", pedal: "....x.......x...", kick: "?.......?.......", snare: "......?......?.." },
    },
    {
      bar: { ride: "X...X.x.X.x.X.x.", pedal: "....x.......x...", snare: "..?.......o....?", kick: "o...o...o...o..." },
    },
    { bar: { brush: "x.o.X.o.x.o.X.o.", pedal: "....x.......x...", kick: "o.......o......." } },
  ],
  latin: [
    { bar: { kick: "x.....xxx.....xx", rim: "x..x..x...x..x..", hat: "x.x.x.x.x.x.x.x.", shaker: "oxoxoxoxoxoxoxox" } },
    {
      bar: {
        kick: "x.....x.x.....x.",
        claves: "x..x..x...x.x...",
        maracas: "xoxoxoxoxoxoxoxo",
        mute: "..x...x.........",
        conga: "........x.....xx",
      },
    },
    {
      bar: {
        kick: "x.....x.......x.",
        cowbell: "X...x.x.X...x.x.",
        shaker: "xoxoxoxoxoxoxoxo",
        mute: "x.x..x..x.x..x..",
        conga: "......xx......xx",
        tumba: "........x.......",
      },
    },
    {
      bar: {
        kick: "X..x..x.X..x..x.",
        claves: "..x.x...x..x..x.",
        shaker: "xoxoxoxoxoxoxoxo",
        conga: "......xx......xx",
      },
      to: 124,
    },
    {
      bar: {
        kick: "x.......x.......",
        bongo: "xoxoxoxoxoxoxoxo",
        maracas: "x.x.x.x.x.x.x.x.",
        claves: "..x.x...x..x..x.",
        tumba: "......x.......x.",
      },
    },
  ],
  reggae: [
    { bar: { kick: "........X.......", rim: "........X.......", hat: "x.x.x.x.x.x.x.x." } },
    { bar: { kick: "X...X...X...X...", rim: "........X.......", hat: "x.xox.xox.xox.xo" } },
    { bar: { kick: "X.......x.......", rim: "....X.......X...", hat: "x.x.x.x.x.x.x.x.", open: "......x........." } },
  ],
  folk: [
    { bar: { kick: "X.......X.......", tambourine: "....X.......X..." } },
    { bar: { kick: "x...x...x...x...", shaker: "x.xox.xox.xox.xo", rim: "....x.......x..." } },
    { bar: { kick: "X.......X.......", brush: "o.o.X.o.o.o.X.o." } },
  ],
  house: [
    {
      bar: { kick: "X...X...X...X...", clap: "....X.......X...", hat: "..x...x...x...x." },
      loud: { kick: "X...X...X...X...", clap: "....X.......X...", open: "..X...X...X...X.", hat: "xoxoxoxoxoxoxoxo" },
    },
    { bar: { kick: "X...X...X...X...", open: "..x...x...x...x.", rim: "...x..x....x..x." } },
    { bar: { kick: "X...X...X...X..x", clap: "....X.......X...", hat: "xoxoxoxoxoxoxoxo", open: "..x...x...x...x." } },
    { bar: { kick: "X...X...X...X...", open: "..X...X...X...X.", cowbell: "...x...x..x....." } },
    { bar: { kick: "X...X...X...X...", snare: "....x..x.x..x...", open: "..x...x...x...x.", hat: "x...x...x...x..." } },
  ],
  hiphop: [
    { bar: { kick: "X......x..x.....", snare: "....X.......X...", hat: "x.x.x.x.x.x.x.xx" } },
    { bar: { kick: "X.x.......xx....", snare: "....X..o....X...", hat: "x.x.x.xxx.x.x.x." } },
    { bar: { kick: "X.....x...x.....", clap: "........X.......", hat: "x.xxx.x.x.xxxxx." }, to: 92 },
    { bar: { kick: "X..x......x..x..", snare: "....X.......X..?", hat: "xoxoxoxoxoxoxoxo" } },
    { bar: { kick: "X.........x..x..", snare: "........X.......", hat: "x.x.xxx.x.x.x.xx", open: "......x........." } },
  ],
  chip: [
    { bar: { kick: "X.......X.......", snare: "....X.......X...", hat: "x.x.x.x.x.x.x.x." } },
    { bar: { kick: "X..x..x.X..x..x.", snare: "....X.......X...", hat: "xxxxxxxxxxxxxxxx" }, to: 130 },
    { bar: { kick: "X.x.....X.x.....", snare: "....X.......X.xx", hat: "..x...x...x...x." } },
  ],
  ambient: [
    { bar: { kick: "x...............", shaker: "o...o...o...o..." } },
    { bar: { kick: "x.........o.....", rim: "........x.......", hat: "..o...o...o...o." } },
  ],
  orchestra: [
    { bar: { snare: "X...x...X...x.oo", kick: "X.......X......." } },
    { bar: { snare: "X..ooox.X..ooox.", kick: "X..............." } },
    { bar: { kick: "X.......x.......", triangle: "....x.......x..." } },
  ],
  orchestraThree: [
    { bar: { kick: "X...........", snare: "....x...x.xx" } },
    { bar: { kick: "x...........", triangle: "....x...x..." } },
  ],
  three: [
    { bar: { kick: "X...........", snare: "....x...x...", hat: "x...x...x..." } },
    { bar: { kick: "X...........", rim: "....x...x...", hat: "x.x.x.x.x.x." } },
    { bar: { kick: "X.........o.", snare: "........X...", ride: "X...x...x.x." } },
  ],
  waltz: [
    { bar: { kick: "X...........", snare: "....o...o...", hat: "....x...x..." } },
    { bar: { kick: "X...........", brush: "....x...x...", ride: "x..........." } },
    { bar: { kick: "X...........", rim: "....x...x...", triangle: "x..........." } },
    { bar: { kick: "X...........", hat: "....X...X.o.", tambourine: "....x...x..." } },
  ],
  jazzThree: [
    { bar: { ride: "X...X.x.X...", pedal: "....x...x...", kick: "x..........." } },
    { bar: { brush: "o...x.o.x.o.", pedal: "....x...x...", kick: "x..........." } },
  ],
  rockThree: [
    { bar: { kick: "X.........x.", snare: "....X...X...", hat: "X.x.X.x.X.x." } },
    { bar: { kick: "X.....x.....", snare: "........X...", hat: "X.x.X.x.X.x." } },
  ],
};

/** The end of a bar before something new, in sixteenths. */
export const fills: Readonly<
  Record<"four" | "roll" | "small" | "electric" | "latin" | "marching", readonly Pattern[]>
> = {
  four: [
    { snare: "X.xx....", high: "....xx..", mid: "......x.", floor: ".......x" },
    { snare: "xXxX", kick: "x..." },
    { high: "X.x.....", mid: "...xx...", floor: ".....xXx" },
    { snare: "X.x.X.xx", kick: "..x...x." },
    { snare: "XxXx........", high: "....XxXx....", floor: "........XxXx" },
    { snare: "..xX", kick: "x..." },
  ],
  roll: [
    { snare: "xxxxxxxx", kick: "x...x..." },
    { kick: "XxXxXxXx", snare: "X..X..X." },
    { high: "XxXx........", mid: "....XxXx....", floor: "........XxXx", kick: "x...x...x..." },
  ],
  small: [{ snare: "..oxX..." }, { snare: "x.ox" }, { snare: "o.x.o.X." }, { mid: "x...", floor: "..x." }],
  electric: [
    { snare: "ooooxxxX" },
    { clap: "X..X..X." },
    { kick: "X...", clap: "X.XX" },
    { snare: "o.o.o.o.x.x.xxXX" },
    { low: "x.x.....", mid: "....x.x.", hat: "xxxxxxxx" },
  ],
  latin: [{ conga: "x.xx..x.", tumba: "....xx.x" }, { high: "x.xx" }, { bongo: "xxXxxxXx" }],
  marching: [{ snare: "x.xxx.xX" }, { snare: "ooooxxxX", kick: "......X." }],
};
