/**
 * @file What things are called. One row a thing: its names, the usual one first, and after "|" those that are held out:
 * training never sees them, so that evaluation can ask in words the model has not read (data.md §7.4). Most held-out names
 * are new combinations of known words, since nobody can guess what a word means that they never met.
 */

import type { Family, Mode } from "./score.js";

export interface Names {
  readonly trained: readonly string[];
  readonly held: readonly string[];
}

export function names(row: string): Names {
  const [trained, held] = row.split(" | ");
  return { trained: trained!.split(", "), held: held?.split(", ") ?? [] };
}

const table = <K extends string>(rows: Record<K, string>): Readonly<Record<K, Names>> =>
  Object.fromEntries(Object.entries<string>(rows).map(([key, row]) => [key, names(row)])) as Record<K, Names>;

/** By `Score.style`; each can stand before "track" and alone. */
export const styleNames: Readonly<Record<string, Names>> = table({
  rock: "rock, rock and roll, indie rock, alternative rock, garage rock, classic rock, rock-style | stadium rock",
  metal:
    "metal, heavy metal, thrash metal, power metal, metal-style, headbanging metal, hard metal | hard and heavy metal",
  pop: "pop, radio pop, mainstream pop, catchy pop, pop-style, chart pop, modern pop | catchy radio pop",
  funk: "funk, funky, groovy funk, funk-style, seventies funk, soul funk, funk groove | groovy seventies funk",
  blues: "blues, bluesy, blues-style, chicago blues, delta blues, roadhouse blues, juke joint blues | classic blues",
  jazz: "jazz, jazzy, swing, swing jazz, swinging jazz, jazz club, jazz-style, cool jazz | jazz swing",
  latin: "latin, bossa nova, bossa, latin-style, brazilian, latin american, bossa-style | brazilian bossa nova",
  reggae:
    "reggae, roots reggae, reggae-style, jamaican, island reggae, skanking reggae, offbeat reggae | jamaican reggae",
  folk: "folk, folky, folk-style, traditional folk, country folk, campfire folk, village folk | rural folk",
  waltz:
    "waltz, waltz-style, viennese waltz, ballroom waltz, waltzing, dance hall waltz, old-time waltz | ballroom-style waltz",
  classical:
    "classical, chamber music, classical chamber, chamber, classical-style, concert hall, conservatory-style | classical chamber ensemble",
  piano:
    "piano, piano music, piano recital, salon piano, parlour piano, recital-style piano, pianistic | piano salon music",
  ambient:
    "ambient, atmospheric, ambient-style, drone-like, ambient soundscape, spacey ambient, floating ambient | atmospheric ambient",
  house: "house, deep house, techno, house-style, club, electronic dance, dance floor, club house | deep club house",
  hiphop: "hip hop, hip-hop, boom bap, old school hip hop, rap-style, street hip hop, chillhop | boom bap hip hop",
  chiptune: "chiptune, 8-bit, video game, retro game, chip music, arcade, console game, 8-bit game | 8-bit arcade",
});

export const familyNames = table<Family>({
  piano:
    "piano, acoustic piano, grand piano, upright piano, piano keys, concert grand, studio piano | concert grand piano",
  "electric piano":
    "electric piano, e-piano, rhodes, rhodes piano, wurlitzer, electric keys, fender rhodes, suitcase piano | wurlitzer electric piano",
  organ: "organ, organ keys, organ stops, keyboard organ, organ sound, organ tone, organ manuals | organ keyboard",
  mallets:
    "mallets, mallet percussion, mallet instrument, tuned percussion, mallet bars, pitched percussion, struck bars | tuned mallet percussion",
  "acoustic guitar":
    "acoustic guitar, unplugged guitar, acoustic six-string, wooden guitar, unamplified guitar, campfire guitar, acoustic axe | unplugged acoustic guitar",
  "electric guitar":
    "electric guitar, clean electric guitar, clean guitar, electric six-string, amplified guitar, undistorted guitar, e-guitar | clean amplified guitar",
  "distorted guitar":
    "distorted guitar, overdriven guitar, fuzz guitar, heavy guitar, crunchy guitar, distortion guitar, high-gain guitar, gritty guitar | heavily distorted guitar",
  plucked:
    "plucked strings, plucked instrument, plucked string instrument, picked strings, string plucks, plucks, plucked sound | plucked string sound",
  strings:
    "strings, string section, string ensemble, orchestral strings, bowed strings, string orchestra, symphonic strings | bowed string ensemble",
  violin: "violin, fiddle, solo violin, bowed violin, concert violin, single violin, lone violin | solo fiddle",
  choir: "choir, voices, vocal choir, singing choir, choral voices, human voices, wordless voices | choir of voices",
  brass: "brass, horns, brass instruments, brass sound, horn line, brass line, brassy horns | brass horns",
  saxophone: "saxophone, sax, solo sax, sax line, saxophone line, smoky sax, breathy sax | solo saxophone",
  flute: "flute, solo flute, concert flute, flute line, airy flute, breathy flute, silver flute | airy solo flute",
  clarinet:
    "clarinet, solo clarinet, clarinet line, woody clarinet, reed clarinet, round clarinet, dark clarinet | woody solo clarinet",
  "synth lead":
    "synth lead, lead synth, synthesizer lead, lead synthesizer, synth line, buzzing synth, analog lead, synth solo | synthesizer line",
  "synth pad":
    "synth pad, pad, synthesizer pad, warm pad, pads, synth pads, sustained synth, synth wash | sustained synth pad",
  bass: "bass, bassline, bass line, bass part, deep bass, low bass, bass notes, round bass | deep bass line",
  drums: "drums, drum kit, drum set, drumbeat, beat, percussion, drum groove, drum track | drum set groove",
});

/** Names of a family that one of its instruments does not go by. */
export const unlike: Readonly<Record<string, RegExp>> = {
  "grand piano": /upright/,
  "honky-tonk piano": /grand|studio/,
  clavinet: /piano|rhodes|wurlitzer/,
  "FM electric piano": /rhodes|wurlitzer|suitcase/,
  "steel drums": /bars/,
  kalimba: /string/,
  cello: /section|ensemble|orchestra|symphonic/,
  trumpet: /instruments|horns/,
  "muted trumpet": /instruments|horns/,
  trombone: /instruments|horns/,
  "french horn": /instruments|horns/,
  piccolo: /concert/,
  recorder: /concert|silver/,
  "pan flute": /concert|silver/,
};

export const drumsNames = {
  with: names(
    "with drums, with a drum kit, with a beat, with a drumbeat, drums, with drums and percussion, with percussion, driven by drums, with a drum groove | driven by a drum kit",
  ),
  without: names(
    "no drums, without drums, drumless, without percussion, no percussion, without a beat, no beat, drum-free, with no drums | without a drum kit",
  ),
};

/** Six bands of tempo, each up to its beats a minute. */
export const paces: readonly { readonly below: number; readonly names: Names }[] = [
  { below: 76, names: names("slow, very slow, slow-paced, unhurried, dragging, slow-moving | really slow") },
  {
    below: 94,
    names: names("relaxed, moderately slow, easygoing, laid-back, leisurely, ambling | relaxed and easygoing"),
  },
  {
    below: 112,
    names: names("mid-tempo, medium tempo, moderate, medium-paced, steady, moderately paced | medium-speed"),
  },
  {
    below: 130,
    names: names("upbeat, brisk, moderately fast, medium-fast, up-tempo, swift-footed | brisk and upbeat"),
  },
  { below: 150.001, names: names("fast, quick, fast-paced, rapid, fast-moving, speedy | really fast") },
  {
    below: Number.POSITIVE_INFINITY,
    names: names("very fast, extremely fast, breakneck, racing, frantic, blazing fast | super fast"),
  },
];

/** Where harmony states a tonic and the words leave it out. */
export const modeNames = (mode: Mode): Names =>
  names(
    `in a ${mode} key, in ${mode}, in the ${mode} mode, in ${mode} mode, ${mode} key, ${mode} mode | in the ${mode} key`,
  );

export const metreNames: Readonly<Record<string, Names>> = table({
  "3/4": "in 3/4, in three-four time, in waltz time, in triple time, in three | in 3/4 time",
  "4/4": "in 4/4, in four-four time, in common time, in four, in straight time | in 4/4 time",
  "6/8": "in 6/8, in six-eight time, in compound time, in six, with a rolling 6/8 feel | in 6/8 time",
  "12/8": "in 12/8, in twelve-eight time, in compound time, in twelve, with a rolling 12/8 feel | in 12/8 time",
});

export const changeNames = table({
  slower:
    "slows down, gets slower, loses speed, slackens, eases off in tempo, drags more and more | gets slower and slower",
  faster: "speeds up, gets faster, gains speed, accelerates, picks up the tempo, pushes ahead | gets faster and faster",
});

export const densityNames = table({
  sparse: "sparse, minimal, uncluttered, bare, stripped-down, airy | sparse and bare",
  busy: "busy, dense, intricate, packed, elaborate, many-voiced | busy and dense",
});

/** After "with". */
export const soundNames = table({
  lofi: "tape hiss, vinyl crackle, lo-fi noise, a lo-fi sound, dusty tape noise, old record noise | lo-fi vinyl noise",
  hall: "lots of reverb, hall reverb, a big hall sound, a large reverb, a long reverb, a roomy echo tail | a large hall reverb",
  dry: "a dry sound, no reverb, hardly any reverb, a close dry sound, an intimate dry mix, a dead room sound | a close sound",
  delay: "echo, delay, an echo effect, a delay effect, echoes, delayed repeats | echo and delay",
});

/** By how many play; "band" where bass and drums are among four or more. */
export const sizeNames: Readonly<Record<string, Names>> = table({
  "1": "solo, unaccompanied, played alone, all alone, on its own, one instrument only | one instrument alone",
  "2": "as a duo, as a duet, for two instruments, two players, a duo, two instruments only | played by two",
  "3": "as a trio, for three instruments, three players, a trio, played by three, three instruments only | three of them playing",
  "4": "as a quartet, for four instruments, four players, a quartet, played by four, four instruments only | four of them playing",
  band: "with a full band, full band, the whole band, as a band, a band playing together, full line-up | the whole band playing",
});

export const pieceNames = names(
  "track, piece, song, tune, instrumental, composition, recording, number, piece of music | musical number",
);

/** What one may listen to it for, from the lowest energy to the highest. */
export const occasions: readonly Names[] = [
  "falling asleep, a sleepy evening, meditation, a sleepless night, resting | a sleepy night",
  "reading, studying, a quiet morning, a rainy day, an evening at home | a rainy morning",
  "a walk in the park, cooking, a podcast intro, everyday background, working | a walk in the rain",
  "a road trip, a party, dancing, a commercial, jogging | a road movie",
  "a workout, a chase scene, a boss fight, an action scene, sprinting | an action game",
].map(names);

/** Adjectives by energy (rows, low to high) and valence (columns, low to high). */
export const moodNames: readonly (readonly Names[])[] = [
  [
    "mournful, sorrowful, desolate, bleak, grieving | full of sorrow",
    "sad, melancholic, sombre, gloomy, wistful | melancholy",
    "calm, still, hushed, meditative, drowsy | calm and still",
    "gentle, soothing, peaceful, mellow, tender",
    "serene, blissful, heavenly, warm, dreamy | dreamlike",
  ],
  [
    "tragic, despairing, heavy-hearted, haunted, brooding",
    "moody, longing, lonely, pensive, nostalgic | longing and lonely",
    "thoughtful, reflective, understated, subdued, contemplative",
    "sweet, soft, pleasant, comforting, kindly | sweet and soft",
    "sunny, content, hopeful, light-hearted, charming | full of hope",
  ],
  [
    "dark, ominous, sinister, grim, eerie | dark and eerie",
    "bittersweet, troubled, restless, uneasy, mysterious",
    "cool, neutral, smooth, composed, even-tempered | smooth and cool",
    "friendly, bright, good-natured, optimistic, breezy",
    "happy, cheerful, merry, joyful, carefree | full of joy",
  ],
  [
    "menacing, tense, stormy, threatening, harsh",
    "dramatic, urgent, anxious, agitated, passionate | full of drama",
    "driving, energetic, determined, punchy, rhythmic | full of energy",
    "spirited, playful, bouncy, confident, fun",
    "exuberant, festive, celebratory, bubbly, jubilant | fun and festive",
  ],
  [
    "furious, aggressive, brutal, violent, raging | full of rage",
    "fierce, desperate, turbulent, wild, feverish",
    "intense, powerful, explosive, relentless, forceful | powerful and intense",
    "exciting, thrilling, heroic, epic, rousing",
    "euphoric, ecstatic, triumphant, exhilarating, elated | wildly happy",
  ],
].map((row) => row.map(names));
