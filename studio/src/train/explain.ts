/** @file What the numbers of a run mean, in the words of docs/training.md, and which are drawn together. */

export interface Explained {
  readonly what: string;
  readonly expect: string;
}

/** By the names of the log; those of single codebooks by their group. */
export const explained: Readonly<Record<string, Explained>> = {
  loss: {
    what: "cross-entropy of the next code, mean over codebooks, in nats",
    expect: "starts at ln(codes), 6.9 for 1024; guessing by frequency alone gives about 6",
  },
  "valid.loss": {
    what: "the same on held-out recordings, told their words and no melody.",
    expect: "When it turns up while loss falls, the model learns by heart: stop, or find more data",
  },
  "valid.untold": {
    what: "the same, told nothing",
    expect: "Their difference is what the words say of the music",
  },
  "valid.melody": {
    what: "the same, told words and melody",
    expect: "below valid.loss once melodies are followed",
  },
  ce: {
    what: "the same for codebook K",
    expect: "the first falls lowest; the later ones describe what is nearly noise, and stay high",
  },
  norm: {
    what: "length of the gradient before it is cut to 1",
    expect: "below 1 after the warm-up. Growing: lower the rate",
  },
  rate: {
    what: "the learning rate of the step",
    expect: "rises over the warm-up, then follows a cosine",
  },
};

/** What it is called for people. */
export const names: Readonly<Record<string, string>> = {
  loss: "While it learns",
  "valid.loss": "On music it does not learn from",
  "valid.untold": "The same, not told the words",
  "valid.melody": "The same, with the melody",
  ce: "Each voice",
  norm: "How hard it pulls",
  rate: "How far a step goes",
};
