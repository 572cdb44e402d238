/** @file `hocket data ...`: the commands that make and prepare what is learnt from. */

import type { Command } from "./command.js";
import { dataScanCommand } from "./data-scan.js";
import { dataTokenizeCommand } from "./data-tokenize.js";

export const dataCommands: readonly Command[] = [dataScanCommand, dataTokenizeCommand];
