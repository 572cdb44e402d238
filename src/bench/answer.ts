/** @file The process that answers one question of the benchmark: node answer.js MODULE NAME ASKED */

import type { Asked, Questions } from "./question.js";

const [module, name, asked] = process.argv.slice(2) as [string, string, string];
const { questions } = (await import(module)) as { questions: Questions };
console.log(JSON.stringify(await questions[name]!.answer(JSON.parse(asked) as Asked)));
