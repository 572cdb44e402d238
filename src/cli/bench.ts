/** @file `hocket bench`: how fast this machine composes, against what it could do at best. */

import { ask, type Questions, wantedIds } from "../bench/question.js";
import { questions } from "../bench/questions.js";
import { jsonLine, markdown, tableHead, tableLine } from "../bench/report.js";
import type { Row } from "../bench/row.js";
import { HocketError } from "../errors.js";
import type { Command, Given } from "./command.js";
import { clear, progress } from "./report.js";
import { threadsFrom, threadsOption } from "./threads.js";

export const benchCommand: Command = {
  name: "bench",
  summary: "measure how fast this machine composes, against what it could do at best",
  options: {
    only: { kind: "text", value: "ID[,ID]", help: "these rows alone: a row's id, or how the ids of several begin" },
    threads: threadsOption,
    json: { kind: "flag", help: "print one line of JSON" },
    markdown: { kind: "flag", help: "print the table in Markdown" },
  },
  examples: ["hocket bench", "hocket bench --only mini,codec32-decode", "hocket bench --only small-int4 --threads 1"],
  run: (given, signal) => runBench(given, new URL("../bench/questions.js", import.meta.url), questions, signal),
};

/** Asks `questions`, which `module` exports, and prints their rows: as they come, but for JSON. */
export async function runBench(given: Given, module: URL, questions: Questions, signal?: AbortSignal): Promise<void> {
  const ids = wantedIds(questions, given.text("only")?.split(","));
  const { threads = 0 } = threadsFrom(given);
  const form = given.flag("json") ? "json" : given.flag("markdown") ? "markdown" : "table";
  if (form === "json" && given.flag("markdown"))
    throw new HocketError("bad-request", "--json and --markdown: choose one of them");
  const print = (line: string) => {
    clear();
    process.stdout.write(`${line}\n`);
  };
  const rows: Row[] = [];
  progress(`measuring ${ids.length} rows, on a machine that should have nothing else to do`);
  for await (const more of ask(module, questions, { ids, threads }, signal)) {
    if (form === "table" && rows.length === 0) print(tableHead);
    rows.push(...more);
    if (form === "table") for (const row of more) print(tableLine(row));
    progress(`${rows.length} of ${ids.length} rows`);
  }
  if (form === "markdown") print(markdown(rows));
  if (form === "json") print(jsonLine(rows, threads));
  clear();
}
