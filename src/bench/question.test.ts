import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { questions as all } from "../../bench/questions.js";
import { repositoryFile } from "../../test/golden.js";
import type { HocketError } from "../errors.js";
import { ask, type Questions, wantedIds } from "./question.js";
import { questions } from "./questions.js";
import { jsonLine, markdown, tableLine } from "./report.js";
import { median, type Row, row } from "./row.js";

const idsOf = (of: Questions) => Object.values(of).flatMap(({ ids }) => ids);
const module = new URL("./questions.js", import.meta.url);

test("every row has a name of its own, and the documentation says what it is", () => {
  const ids = idsOf(all);
  assert.deepEqual([...new Set(ids)], ids);
  const text = readFileSync(repositoryFile("docs/benchmarks.md"), "utf8");
  for (const id of ids) assert.ok(text.includes(`\`${id}\``), `docs/benchmarks.md does not say what ${id} is`);
});

test("the package's rows are among those of the repository, and hold what was promised", () => {
  const ids = idsOf(questions);
  assert.deepEqual(idsOf(all).slice(0, ids.length), ids);
  for (const promised of [
    ...["small-int4-ctx64", "small-int4-ctx1400", "small-int8-ctx64", "small-fp32-ctx64", "variations-4"],
    ...["codec32-decode", "t5-base", "mini-realtime", "mini-first-audio", "small-int4-30s-peak-mb"],
  ])
    assert.ok(ids.includes(promised), promised);
});

test("a whole id names one row, a beginning names those that begin so, and anything else is refused", () => {
  assert.deepEqual(wantedIds(questions, ["codec32-decode"]), ["codec32-decode"]);
  assert.deepEqual(wantedIds(questions, ["variations", "t5"]), ["t5-base", "variations-4", "variations-4-mini"]);
  assert.deepEqual(wantedIds(questions, undefined), idsOf(questions));
  for (const wrong of ["nothing", ""])
    assert.throws(
      () => wantedIds(questions, ["t5-base", wrong]),
      (error: HocketError) => error.code === "bad-request" && error.message.includes("memory-bandwidth"),
    );
});

test("a question is answered in a process of its own, which leaves nothing behind", { timeout: 120_000 }, async () => {
  const before = new Set(readdirSync(tmpdir()));
  const rows: Row[] = [];
  for await (const more of ask(module, questions, { ids: ["memory-bandwidth"], threads: 1 })) rows.push(...more);
  assert.deepEqual(
    rows.map(({ id }) => id),
    ["memory-bandwidth"],
  );
  const [{ value, bound, ratio }] = rows as [Row];
  assert.ok(value > 0 && bound > 0 && ratio === value / bound && ratio >= 1);
  const left = readdirSync(tmpdir()).filter((name) => name.startsWith("hocket-bench-") && !before.has(name));
  assert.deepEqual(left, []);
});

test("whoever stops asking is heard at once", async () => {
  const stop = new AbortController();
  const asking = ask(module, questions, { ids: ["memory-bandwidth"], threads: 1 }, stop.signal).next();
  setTimeout(() => stop.abort(), 50);
  await assert.rejects(asking, { name: "AbortError" });
});

test("a line of JSON is one line, with what programs read", () => {
  const rows = [row("a", 3, "ms", 2, "the aim", "soon"), row("b", 1, "s", 4, "real time")];
  const line = jsonLine(rows, 2);
  assert.doesNotMatch(line, /\n/);
  const { machine, rows: read } = JSON.parse(line) as { machine: Record<string, unknown>; rows: Row[] };
  assert.equal(machine.threads, 2);
  assert.equal(machine.node, process.version);
  assert.deepEqual(read, rows);
  assert.equal(read[0]!.ratio, 1.5);
});

test("tables show a row's numbers", () => {
  const one = row("a", 30, "ms", 20, "the aim", "33 steps/s");
  for (const shown of [tableLine(one), markdown([one])])
    for (const part of ["a", "30.0 ms", "1.50", "20.0 ms", "the aim", "33 steps/s"])
      assert.ok(shown.includes(part), part);
  assert.equal(markdown([one, one]).split("\n").length, 4);
  assert.equal(median([3, 1, 2]), 2);
});
