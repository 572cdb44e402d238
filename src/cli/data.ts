/** @file `hocket data ...`: the commands that make and prepare what is learnt from. */

import type { Command } from "./command.js";
import { dataMakeCommand } from "./data-make.js";
import { dataScanCommand } from "./data-scan.js";
import { dataTokenizeCommand } from "./data-tokenize.js";

export const dataCommands: readonly Command[] = [dataMakeCommand, dataScanCommand, dataTokenizeCommand];
