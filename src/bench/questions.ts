/** @file The questions that `hocket bench` asks, in the order of a generation. */

import type { Questions } from "./question.js";

const step = (size: string, precision: string, context = 64) => `${size}-${precision}-ctx${context}`;

export const questions: Questions = {
  memory: {
    ids: ["memory-bandwidth"],
    answer: async (asked) => (await import("./bandwidth.js")).bandwidthRow(asked),
  },
  mini: {
    ids: [
      "mini-first-audio",
      ...["node", "import", "load", "sessions", "steps"].map((part) => `mini-first-audio-${part}`),
      "mini-realtime",
    ],
    answer: async (asked) => (await import("./mini.js")).miniRows(asked),
  },
  t5: {
    ids: ["t5-base"],
    answer: async (asked) => (await import("./t5-base.js")).t5Rows(asked),
  },
  small: {
    ids: [
      ...["fp32", "int8", "int4"].map((precision) => step("small", precision)),
      "small-int4-ctx64-arithmetic",
      step("small", "int4", 1400),
      "host-work",
    ],
    answer: async (asked) => (await import("./lm-step.js")).stepRows("small", asked),
  },
  medium: {
    ids: [step("medium", "int4")],
    answer: async (asked) => (await import("./lm-step.js")).stepRows("medium", asked),
  },
  large: {
    ids: [step("large", "int4")],
    answer: async (asked) => (await import("./lm-step.js")).stepRows("large", asked),
  },
  variations: {
    ids: ["variations-4", "variations-4-mini"],
    answer: async (asked) => (await import("./variations.js")).variationRows(asked),
  },
  codec32: {
    ids: ["decode", "decode-arithmetic", "encode", "encode-arithmetic", "lstm-share"].map((part) => `codec32-${part}`),
    answer: async (asked) => (await import("./codec32.js")).codec32Rows(asked),
  },
  "30s": {
    ids: ["small-int4-30s-peak-mb", "small-int4-30s-realtime"],
    answer: async (asked) => (await import("./half-minute.js")).halfMinuteRows(asked),
  },
};
