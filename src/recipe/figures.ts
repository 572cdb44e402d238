/**
 * @file How accompaniments move: a bar in eighths or sixteenths (4/4: 8 or 16 steps, 3/4: 6 or 12). x the chord, X accented,
 * o softly; d, u strummed down, up; p a power chord, P accented, s with the sixth in the fifth's place; 0 to 5 one tone of the voicing, b and f its low root and
 * fifth; - holds on, . rests.
 */

export interface Figure {
  readonly bar: string;
  /** Tones of an arpeggio ring on until the chord changes. */
  readonly rings?: boolean;
  /** How much of its time a tone sounds. */
  readonly gate?: number;
  /** Quarter notes a minute between which it can be played. */
  readonly from?: number;
  readonly to?: number;
}

/** By name; the ones for three-four are found by their length. */
export const figures: Readonly<Record<string, readonly Figure[]>> = {
  held: [{ bar: "x-------" }, { bar: "x---x---", to: 110 }, { bar: "x-----" }],
  block: [
    { bar: "x-x-x-x-", gate: 0.9, to: 132 },
    { bar: "x--x--x-" },
    { bar: "x---x-x-" },
    { bar: "X-xxx-xx", gate: 0.8, to: 112 },
    { bar: "x---x---", from: 90 },
    { bar: "x-x-x-", gate: 0.85 },
    { bar: "x---x-" },
  ],
  ballad: [
    { bar: "b-2-1-2-", rings: true },
    { bar: "b-12-2-1", rings: true, to: 120 },
    { bar: "b-x-x-x-", gate: 0.9 },
    { bar: "b1231321", rings: true, to: 120 },
    { bar: "b---1-2-3-2-1-2-", rings: true, to: 84 },
    { bar: "b-1-2-", rings: true },
    { bar: "b12321", rings: true },
  ],
  alberti: [
    { bar: "02120212", gate: 0.9 },
    { bar: "0212021202120212", gate: 0.9, to: 88 },
    { bar: "012012", gate: 0.9 },
    { bar: "b-x-x-", gate: 0.7 },
  ],
  broken: [
    { bar: "01232123", rings: true },
    { bar: "0123432101234321", rings: true, to: 96 },
    { bar: "01210121", rings: true },
    { bar: "0-2-1-2-", rings: true, from: 100 },
    { bar: "012321", rings: true },
  ],
  stride: [
    { bar: "b-x-f-x-", gate: 0.7 },
    { bar: "b-x-b-x-", gate: 0.6 },
    { bar: "b-x-x-", gate: 0.6 },
  ],
  strum: [
    { bar: "d-d-d-d-", to: 112 },
    { bar: "d-dudud-" },
    { bar: "d-du-udu" },
    { bar: "d---d-du", from: 90 },
    { bar: "d-d-dudu" },
    { bar: "d---d-dud-d-d-du", to: 88 },
    { bar: "d-dudu" },
    { bar: "d-d-d-" },
  ],
  picked: [
    { bar: "b-2-f-3-", rings: true, from: 96 },
    { bar: "b213f213", rings: true },
    { bar: "b-321-23", rings: true },
    { bar: "b-2-1-3-f-2-1-3-", rings: true, to: 92 },
    { bar: "b-2-3-", rings: true },
    { bar: "b12321", rings: true },
  ],
  drive: [
    { bar: "PpppPppp", gate: 0.8 },
    { bar: "P--p--p-", gate: 0.95 },
    { bar: "P-ppP-pp", gate: 0.85 },
    { bar: "PppPppPp", gate: 0.8, from: 84 },
    { bar: "P-----pp", gate: 0.97 },
    { bar: "P-p-p-", gate: 0.8 },
    { bar: "PppPpp", gate: 0.75 },
  ],
  chug: [
    { bar: "P.ppP.ppP.ppP.pp", gate: 0.7, to: 160 },
    { bar: "PpppPpppPpppPppp", gate: 0.6, to: 136 },
    { bar: "PppPppPppPppPpPp", gate: 0.6, to: 136 },
    { bar: "PppppppPpppp-p--", gate: 0.6, to: 120 },
    { bar: "PpppPppp", gate: 0.5, from: 136 },
    { bar: "PppPppPp", gate: 0.5, from: 136 },
    { bar: "PpppPpppPppp", gate: 0.6 },
  ],
  shuffle: [
    { bar: "PpssPpss", gate: 0.75 },
    { bar: "PpspPpsp", gate: 0.7 },
    { bar: "P.psP.ps", gate: 0.8 },
    { bar: "PpssppsP", gate: 0.75 },
  ],
  pump: [
    { bar: "xxxxxxxx", gate: 0.8, to: 138 },
    { bar: "XxxXxxXx", gate: 0.8 },
    { bar: "X-xxX-xx", gate: 0.85 },
    { bar: "X-xxxxxx", gate: 0.75, to: 130 },
    { bar: "X-x-x-x-", gate: 0.9, from: 110 },
    { bar: "xxxxxx", gate: 0.8 },
  ],
  funk: [
    { bar: "..x.x..x..x.x.x.", gate: 0.5 },
    { bar: "x..x..x...x.x...", gate: 0.5 },
    { bar: ".xx.xX..xx.x.X..", gate: 0.4, to: 112 },
    { bar: "X.....x...X..x..", gate: 0.5 },
  ],
  stabs: [
    { bar: "X.....x.........", gate: 0.8 },
    { bar: "...x......X.x...", gate: 0.6 },
    { bar: "......X.x.......", gate: 0.8 },
    { bar: "X-----..X.......", gate: 0.9 },
    { bar: "X...x.", gate: 0.6 },
  ],
  charleston: [
    { bar: "x-.x....", gate: 0.7 },
    { bar: ".x..x-..", gate: 0.7 },
    { bar: "x...x..x", gate: 0.6 },
    { bar: "..x-...x", gate: 0.7 },
    { bar: "x-x-x-x-", gate: 0.55 },
    { bar: "x..x..", gate: 0.7 },
    { bar: "..x-x.", gate: 0.6 },
  ],
  bossa: [
    { bar: "x--x--x---x--x--", gate: 0.7 },
    { bar: "x-x-..x-.-x-x-..", gate: 0.7 },
    { bar: "bx-xf-x-bx-xf-x-", gate: 0.7, to: 112 },
    { bar: "x--x--", gate: 0.7 },
  ],
  montuno: [
    { bar: "x.23x.2.3x.23.x.", gate: 0.7, to: 124 },
    { bar: "x2.3x23.", gate: 0.7 },
    { bar: "x.x2.x.x", gate: 0.6 },
    { bar: "x.23x.", gate: 0.7 },
  ],
  skank: [
    { bar: "..x...x.", gate: 0.5, from: 92 },
    { bar: ".x.x.x.x", gate: 0.5, to: 104 },
    { bar: ".X.x.X.x", gate: 0.35, to: 104 },
    { bar: "..xx..x...xx..x.", gate: 0.5, to: 88 },
  ],
  bubble: [
    { bar: "..xo..xo..xo..xo", gate: 0.5 },
    { bar: ".x.x.x.x", gate: 0.4 },
  ],
  waltz: [
    { bar: "b-x-x-", gate: 0.6 },
    { bar: "b-X.x.", gate: 0.6 },
    { bar: "b-x-xx", gate: 0.5, to: 140 },
  ],
  spiccato: [
    { bar: "xxxxxxxx", gate: 0.45, to: 138 },
    { bar: "XoxoXoxo", gate: 0.45 },
    { bar: "x.xxx.xx", gate: 0.5 },
    { bar: ".xxx.xxx", gate: 0.45, to: 132 },
    { bar: "xoxoxo", gate: 0.45 },
  ],
  drift: [
    { bar: "0---2---", rings: true },
    { bar: "0-----3-", rings: true },
    { bar: "0-1-2-3-", rings: true, to: 76 },
    { bar: "x-------" },
    { bar: "0-----", rings: true },
    { bar: "0---2-", rings: true },
  ],
  offbeat: [
    { bar: ".x.x.x.x", gate: 0.6 },
    { bar: "x..x..x.x..x..x.", gate: 0.6 },
    { bar: "..x...x...x...x.", gate: 0.8 },
    { bar: "..xx..x...xx..x.", gate: 0.6 },
  ],
  tremolo: [
    { bar: "xxxxxxxxxxxxxxxx", gate: 0.9, to: 132 },
    { bar: "xxxxxxxx", gate: 0.9 },
    { bar: "xxxxxx", gate: 0.9 },
  ],
  sequence: [
    { bar: "0120312001203120", gate: 0.6, to: 138 },
    { bar: "0.2.1.2.0.2.1.3.", gate: 0.7 },
    { bar: "0213021302130213", gate: 0.5, to: 132 },
    { bar: "02130213", gate: 0.7 },
    { bar: "012021", gate: 0.7 },
  ],
  chip: [
    { bar: "0123012301230123", gate: 0.95, to: 156 },
    { bar: "0210021002100210", gate: 0.9, to: 156 },
    { bar: "01230123", gate: 0.9 },
    { bar: "x.x.x.x.", gate: 0.5 },
    { bar: "012012", gate: 0.9 },
    { bar: "012012012012", gate: 0.9, to: 150 },
  ],
  lazy: [
    { bar: "x---..x-", gate: 0.9 },
    { bar: "x-----x-x-------", gate: 0.9 },
    { bar: "x--x----", gate: 0.9 },
    { bar: "..x-....x-......", gate: 0.8 },
    { bar: "x---x-" },
  ],
};

/**
 * Bass lines: r root, 5 the fifth above, l the fifth below, 8 the octave, 3 the third, 6 sixth, 7 seventh, a a step towards the next
 * root, w the next note of a walk, o a ghost of the root.
 */
export const lines: Readonly<Record<string, readonly Figure[]>> = {
  roots: [
    { bar: "rrrrrrrr" },
    { bar: "r-r-r-r-", from: 84 },
    { bar: "r--r--r-" },
    { bar: "r---r-rr" },
    { bar: "r-r-r-", gate: 0.9 },
    { bar: "r---r-" },
  ],
  gallop: [
    { bar: "r.rrr.rrr.rrr.rr", gate: 0.8, to: 144 },
    { bar: "rrrrrrrrrrrrrrrr", gate: 0.7, to: 112 },
    { bar: "rrrrrrrr", gate: 0.85 },
    { bar: "rrrrrr" },
  ],
  pump: [
    { bar: "rrrrrrrr", gate: 0.85 },
    { bar: "r-rrr-rr", gate: 0.85 },
    { bar: "rrrrrr5a", gate: 0.85 },
    { bar: "r--r--rr", gate: 0.85 },
    { bar: "rrrrrr" },
  ],
  song: [
    { bar: "r---r---" },
    { bar: "r--r5---" },
    { bar: "r-----5-" },
    { bar: "r--rr-5a" },
    { bar: "r---5-" },
    { bar: "r-----" },
  ],
  funk: [
    { bar: "r..r..8.r.o.5.7a", gate: 0.7 },
    { bar: "r.8.o.r...7.8.5.", gate: 0.7 },
    { bar: "r..o..r.8..7..5.", gate: 0.7 },
    { bar: "rr..8.7..5..r.a.", gate: 0.65, to: 112 },
  ],
  walking: [
    { bar: "w-w-w-w-", gate: 0.92 },
    { bar: "w-w-w-", gate: 0.92 },
  ],
  boogie: [
    { bar: "r-3-5-6-", gate: 0.85 },
    { bar: "rr33556a", gate: 0.85, to: 132 },
    { bar: "rr55665a", gate: 0.85 },
    { bar: "r-3-5-" },
  ],
  bossa: [{ bar: "r-----5-l-----5-" }, { bar: "r-----rr5-----5r", gate: 0.9 }, { bar: "r--5l--5" }, { bar: "r--l-5" }],
  tumbao: [{ bar: "r-----5-....8-a-" }, { bar: "r-----5---8-...." }, { bar: "..r---5-" }, { bar: "r--5--" }],
  reggae: [
    { bar: "..r-r.5-", gate: 0.85 },
    { bar: "r-..5-3-r-..l-r-", gate: 0.85 },
    { bar: "r-.r.3.5", gate: 0.8 },
    { bar: "r-r-..5-..3-r-..", gate: 0.85 },
  ],
  twoFeel: [
    { bar: "r---5---" },
    { bar: "r---l---" },
    { bar: "r-5-r-5-", from: 72 },
    { bar: "r---5-a-" },
    { bar: "r-----" },
  ],
  waltz: [{ bar: "r-...." }, { bar: "r---.." }, { bar: "r---.a", gate: 0.9 }],
  orchestral: [
    { bar: "r---5---" },
    { bar: "r-r-5-r-", gate: 0.6 },
    { bar: "r...5...", gate: 0.8 },
    { bar: "r-5-8-5-", gate: 0.6 },
    { bar: "r-----" },
    { bar: "r-5-5-", gate: 0.6 },
  ],
  offbeat: [
    { bar: ".r.r.r.r", gate: 0.7 },
    { bar: ".8.r.8.r", gate: 0.7 },
    { bar: "..r-..r-..r-..rr", gate: 0.8 },
    { bar: ".rrr.rrr.rrr.rr8", gate: 0.6, to: 136 },
    { bar: "..rr..8...rr..8.", gate: 0.7 },
  ],
  sub: [
    { bar: "r-----..r---...." },
    { bar: "r-----r---r-...." },
    { bar: "r-------......r-" },
    { bar: "r---..r---..5-a-" },
    { bar: "r---r-" },
  ],
  pedal: [{ bar: "r-------" }, { bar: "r-----" }],
  chip: [
    { bar: "r8r8r8r8", gate: 0.8 },
    { bar: "r.r.8.r.r.r.8.5.", gate: 0.8 },
    { bar: "rr8rrr8r", gate: 0.8 },
    { bar: "r-5-8-5-", gate: 0.9, from: 100 },
    { bar: "r85858", gate: 0.8 },
  ],
};

/** Rhythms of tunes: two quarter notes, or three for three-four; x a note, - held (at the start: from before), . rest. */
export const cells: Readonly<Record<string, readonly string[]>> = {
  long: ["x---", "x-x-", "x--x", "----"],
  plain: ["x-x-", "x-xx", "xxx-", "x---", "x--x"],
  lively: ["xxxx", "x-xx", "xxx-", "xx-x", "x--x", "x-x-"],
  pushed: [".x-x", "-x-x", "x--x", "xx-x", ".xxx", "x-xx", "-xx-", "x-x-"],
  sixteenths: ["x-x-xxx-", "x--xx---", "x-xxx-x-", "x---x-xx", "x--x--x-", "xxx-x---", "x---xxxx", "x-x-x---"],
  funky: [".-x-xx-x", "x--x-x--", "x-.xx-x-", "..xxx-x-", "x-x..x--", "x--x--x-"],
  swung: ["xxxx", "x-xx", ".xxx", "xx-x", "xxx-", "-xxx", "x-x-", "x--x"],
  jig: ["xxxxxx", "x-xx-x", "xxxx-x", "x-xxxx", "x--x--", "x-xx--"],
  sparse: ["x---", "..x-", "x-x-", "----", ".x--", "x--x"],
  three: ["x---x-", "x-x-x-", "x-----", "x--xx-", "xxx-x-", "x-xxxx", "x---xx"],
  threeLong: ["x-----", "x---x-", "x-x---", "------"],
  threeFine: ["x---x-x-x---", "x-x-x-xxx-x-", "x---x-xxx---", "x-----x-x-x-"],
};
