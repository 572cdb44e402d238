/** @file What `npm run bench` asks besides: what needs the repository, PyTorch, or more time. */

import type { Question, Questions } from "../src/bench/question.js";
import { questions as packaged } from "../src/bench/questions.js";

const besideTorch = (name: string): string[] => ["time", "work", "memory"].map((part) => `${name}-${part}`);

const own: Questions = {
  quality: {
    ids: ["quality-int8", "quality-int4"],
    answer: async () => (await import("./quality.js")).qualityRows(),
  },
  "codec32-pytorch": {
    ids: ["codec32-decode-pytorch", "codec32-decode-pytorch-work"],
    answer: async () => (await import("./codec32-decode.js")).decodeBesideTorch(),
  },
  load: {
    ids: ["fp32", "fp16"].flatMap((type) => [`load-small-${type}-memory`, `load-small-${type}-time`]),
    answer: async (asked) => (await import("./load-memory.js")).loadMemory(asked),
  },
  make: {
    ids: ["make-hour"],
    answer: async () => (await import("./data-make.js")).dataMake(),
  },
  "30s-fp32": {
    ids: ["memory-small-fp32-30s"],
    answer: async (asked) => (await import("./load-memory.js")).longMemory(asked),
  },
  "train-lm": {
    ids: besideTorch("train-lm"),
    answer: async () => (await import("./train-lm-step.js")).trainLmRows(),
  },
  "train-codec": {
    ids: besideTorch("train-codec"),
    answer: async () => (await import("./train-codec-step.js")).trainCodecRows(),
  },
} satisfies Record<string, Question>;

export const questions: Questions = { ...packaged, ...own };
