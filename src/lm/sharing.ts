/** @file When a step of the language model is shared among threads. */

import type { LmConfig } from "./config.js";

/**
 * Whether its products take long enough. Those of a small model take a few microseconds each, as long as telling another thread
 * of them: with two threads a step of the shipped model took the same time and 1.25 times as much of the processors, which the
 * codec wants meanwhile (8 layers x 256: 1.24 in fp32, 1.33 in int8).
 */
export const isWorthSharing = ({ num_hidden_layers, hidden_size, ffn_dim }: LmConfig): boolean =>
  num_hidden_layers * hidden_size * (8 * hidden_size + 2 * ffn_dim) >= worthSharing;

// --- internal ---

/** Numbers that a step multiplies by, without the heads. */
const worthSharing = 2 ** 24;
