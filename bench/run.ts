/** @file `npm run bench -- [options]`: `hocket bench`, with more questions. */

import { benchCommand, runBench } from "../src/cli/bench.js";
import { parseCommand } from "../src/cli/options.js";
import { questions } from "./questions.js";

const given = parseCommand(benchCommand, process.argv.slice(2));
await runBench(given, new URL("./questions.js", import.meta.url), questions);
