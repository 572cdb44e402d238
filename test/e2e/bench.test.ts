import assert from "node:assert/strict";
import { test } from "node:test";
import { hocket, json, refuses, succeeds } from "./hocket.js";

test(
  "hocket bench --json prints one line with the machine and the rows that were asked for",
  { timeout: 120_000 },
  async () => {
    const run = await succeeds(["bench", "--only", "memory-bandwidth", "--threads", "1", "--json"]);
    const { machine, rows } = json<{ machine: Record<string, unknown>; rows: Record<string, unknown>[] }>(run);
    assert.equal(machine.threads, 1);
    assert.equal(typeof machine.cpu, "string");
    assert.equal(rows.length, 1);
    const { id, value, unit, bound, ratio } = rows[0]!;
    assert.deepEqual([id, unit], ["memory-bandwidth", "ms"]);
    assert.ok(typeof value === "number" && typeof bound === "number" && typeof ratio === "number");
    assert.ok(Math.abs(ratio - value / bound) < 1e-12);
    assert.deepEqual(run.files, []);
  },
);

test("what cannot be measured is refused before anything is", async () => {
  await refuses(["bench", "--only", "speed"], /no row is called "speed": there are memory-bandwidth, /);
  await refuses(["bench", "--threads", "0"], /--threads: give a whole number from 1 to 256/);
  await refuses(["bench", "--json", "--markdown"], /choose one/);
  await refuses(["bench", "small"], /one word too many/);
});

test("Ctrl-C ends it at once", async () => {
  let sent = false;
  const { code, stderr } = await hocket(["bench", "--only", "memory"], {
    watch: ({ kill, milliseconds }) => {
      if (sent || milliseconds < 1000) return;
      sent = true;
      kill("SIGINT");
    },
  });
  assert.equal(code, 130);
  assert.equal(stderr, "stopped\n");
});
