/**
 * @file How captions are put: sixty patterns in five registers, six of them held out of training. {slot} is filled in,
 * [ ] may be left out, and is left out where what its slots ask for is not known.
 */

export const slots = [
  "style",
  "pace",
  "bpm",
  "key",
  "mood",
  "lead",
  "band",
  "drums",
  "metre",
  "size",
  "density",
  "sound",
  "form",
  "occasion",
] as const;
/** What a caption can state. */
export type Slot = (typeof slots)[number];

export const registers = ["tags", "phrase", "sentence", "sentences", "request"] as const;
export type Register = (typeof registers)[number];

/** A pattern taken apart: text, what fills a gap, and what may be left out. */
export type Piece = string | { readonly fill: string } | { readonly optional: readonly Piece[] };

export interface Template {
  readonly register: Register;
  readonly held: boolean;
  readonly pieces: readonly Piece[];
  /** Everything that it can state. */
  readonly slots: ReadonlySet<Slot>;
  /** What it cannot do without. */
  readonly required: readonly Slot[];
}

/** Other forms that slots take: {inkey} is "in A minor" where {key} is "A minor"; {number} is a tempo without its unit. */
const forms: Readonly<Record<string, Slot>> = { inkey: "key", number: "bpm" };
export const slotOf = (fill: string): Slot | undefined =>
  fill in forms ? forms[fill] : slots.find((slot) => slot === fill);

const patterns: Record<Register, { trained: string; held: string }> = {
  // Each of the parts that ";" divides may be left out, and their order may change.
  tags: {
    trained: `{style}; {bpm}; {lead}; {drums}
      {mood}; {style}; {pace}; {key}
      {lead}; {band}; {bpm}; {drums}; {sound}
      {bpm}; {key}; {style}; {lead}; {drums}; {mood}
      genre: {style}; mood: {mood}; tempo: {pace}; lead: {lead}; key: {key}
      genre: {style}; bpm: {number}; melody: {lead}; also {band}; {drums}
      {style}; {metre}; {lead}; {size}; {pace}
      {density}; {mood}; {lead}; {drums}; {inkey}; {pace}
      {mood} {style}; {lead} lead; {bpm}; {drums}; {key}
      {pace} {style}; {lead} and {band}; {key}; {sound}
      {key}; {pace}; {bpm}; {metre}; {drums}; {style}`,
    held: "{style} with {lead}; {drums}; {bpm}; {key}; {pace}; {mood}",
  },
  phrase: {
    trained: `a [{mood} ][{pace} ][{style} ]{piece}[ with {lead}][ {inkey}][ at {bpm}][, {drums}]
      [{mood}, ][{pace} ][{style} ]{piece}[ for {lead}[ and {band}]][, {drums}]
      [{pace} ][{style} ]with {lead}[ and {band}][ at {bpm}][ {inkey}][, {drums}]
      a [{density}, ][{mood} ]{style} {piece}[ {metre}][ {inkey}][, {size}]
      {lead} over a [{pace} ][{style} ]accompaniment[ of {band}][, {bpm}][, {drums}][, {inkey}]
      [{style} ]{piece} at {bpm}[ with {sound}][, {lead} up front][, {inkey}][, {drums}]
      [{mood} ]{lead} {piece}[ {inkey}][, {pace}][, {drums}][, {style}]
      the sound of [{pace} ][{style} ]{lead}[ and {band}][ with {sound}][, {drums}]
      a {pace}[, {mood}] {piece}[ {inkey}][ {metre}][ led by {lead}][, {drums}][, in {style} style]
      {mood} and {pace} [{style} ]{piece}[ with {lead}][, {bpm}][, {drums}]
      [{style} ]{piece} led by {lead}[, {drums}][, {bpm}][, {inkey}][, {pace}]`,
    held: "[{pace} ][{mood} ][{style} ]music[ where the tune is on {lead}][ at {bpm}][ {inkey}][, {drums}]",
  },
  sentence: {
    trained: `This is a [{pace} ][{mood} ][{style} ]{piece}[ with {lead}[ and {band}]][ {inkey}][ at {bpm}][, {drums}].
      The {piece} is [{mood}, ]{pace}[ and played on {lead}][ {inkey}][, {drums}].
      The melody is played on {lead}[ over {band}][, {inkey}][ at {bpm}][ in {style} style][, {drums}].
      A [{style} ]{piece} featuring {lead}[ together with {band}][ at {bpm}][ {inkey}][, {drums}].
      You hear {lead}[ and {band}] in a [{mood} ][{pace} ][{style} ]{piece}[ {inkey}][, {drums}].
      Here the tune belongs to {lead}[, with {band} behind][, at {bpm}][, {drums}][, {style}].
      This {style} {piece} sounds {mood}[ and has {sound}][, runs at {bpm}][, {drums}].
      It is [{pace} ]{style} played by {lead}[ and {band}][ {inkey}][ with {sound}][, {drums}].
      The tempo is {bpm}[, the style is {style}][, the lead is {lead}][, {inkey}][, {drums}].
      A [{style} ]{piece} {inkey}[ {metre}][ with {lead}][ at {bpm}][, {drums}].
      Played by {band}[ with {lead} on top], this is a [{pace} ][{style} ]{piece}[ at {bpm}][, {drums}].`,
    held: "What plays is a [{pace} ][{mood} ][{style} ]{piece}[ whose melody is on {lead}][, {inkey}][, {bpm}][, {drums}].",
  },
  sentences: {
    trained: `A [{mood} ][{style} ]{piece}[ at {bpm}][ {inkey}][, {drums}]. It {form}.
      A [{pace} ][{style} ]{piece}. The lead is {lead}[, the rest is {band}][, {drums}][, {inkey}].
      It {form}. A [{pace} ][{mood} ][{style} ]{piece}[ with {lead}][ at {bpm}].
      A [{style} ]{piece} that {form}[, {inkey}]. [The mood is {mood}.]
      [{style} ]{piece} with {lead}[ and {band}]. The tempo is {bpm}[ and the feel is {mood}][, {drums}].
      The melody is on {lead}. The {piece} is [{mood} and ]{pace}[, {style}][, {inkey}][, {drums}].
      Everything is {mood} here. A [{pace} ][{style} ]{piece}[ with {lead}][, {drums}].
      A {style} {piece}. Tempo: {bpm}[. Lead: {lead}][. Key: {key}][. Also {drums}].
      First impression: {mood}. Then {lead}[ over {band}][ at {bpm}][ in {style} style].
      A [{pace} ]{style} {piece}[ {inkey}]. It {form}[, with {sound}].`,
    held: `Think of a [{mood} ][{style} ]{piece}. It is {pace}[, led by {lead}][, {inkey}][, {bpm}][, {drums}].
      The {piece} {form}. The genre is {style}[, the speed {pace}][, the melody on {lead}][, {drums}][, {inkey}].`,
  },
  request: {
    trained: `something {mood}[ and {pace}] for {occasion}[ with {lead}][, {drums}]
      I need a [{pace} ][{mood} ][{style} ]{piece}[ for {occasion}][ with {lead}][ at {bpm}][ {inkey}][, {drums}]
      give me a [{pace} ][{style} ]{piece}[ with {lead}[ and {band}]][ at {bpm}][ {inkey}][, {drums}] please
      can you make a [{mood} ][{style} ]{piece}[ at {bpm}][ with {lead}][ {inkey}][, {drums}]?
      play me some [{pace} ][{style} ]music[ on {lead}][, {drums}][, {inkey}]
      make it {pace}[ and {mood}][, {style}][, {lead} for the melody][, {drums}][, {inkey}]
      I want to hear {lead}[ and {band}] playing [{mood} ][{style} ]music[ at {bpm}][, {drums}][, {inkey}]
      background music for {occasion}[, {mood}][, {style}][, {bpm}][, {lead}]
      looking for {style}[ with {lead}][, tempo {number}][, {inkey}][, {drums}][, {mood}]
      write a [{pace} ][{style} ]tune for {lead}[ {inkey}][ at {bpm}][, {drums}]
      please generate a [{mood} ][{style} ]{piece}, {bpm}[, {lead}][, {drums}][, {key}]`,
    held: "could we have some [{pace} ][{mood} ][{style} ]music[ for {occasion}][ with a tune on {lead}][ at {bpm}][ {inkey}][, {drums}]?",
  },
};

export const templates: readonly Template[] = registers.flatMap((register) =>
  (["trained", "held"] as const).flatMap((side) =>
    patterns[register][side].split("\n").map((line) => template(register, side === "held", line.trim())),
  ),
);

/** Every slot in `pieces`, those of optional parts too. */
export function slotsOf(pieces: readonly Piece[]): Slot[] {
  return pieces.flatMap((piece) => {
    if (typeof piece === "string") return [];
    if ("optional" in piece) return slotsOf(piece.optional);
    return slotOf(piece.fill) ?? [];
  });
}

// --- internal ---

function template(register: Register, held: boolean, pattern: string): Template {
  const pieces: Piece[] =
    register === "tags" ? pattern.split("; ").map((part) => ({ optional: parse(part) })) : parse(pattern);
  return {
    register,
    held,
    pieces,
    slots: new Set(slotsOf(pieces)),
    required: slotsOf(pieces.filter((piece) => typeof piece === "string" || !("optional" in piece))),
  };
}

function parse(pattern: string): Piece[] {
  const levels: Piece[][] = [[]];
  for (const token of pattern.match(/\[|\]|\{[^}]*\}|[^[\]{}]+/g) ?? []) {
    if (token === "[") levels.push([]);
    else if (token === "]") {
      const optional = levels.pop()!;
      levels.at(-1)!.push({ optional });
    } else levels.at(-1)!.push(token.startsWith("{") ? { fill: token.slice(1, -1) } : token);
  }
  return levels[0]!;
}
