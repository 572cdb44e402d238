import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { decodeAudio } from "../../src/audio/decode.js";
import { writeWav } from "../../src/audio/write-wav.js";
import { ID, startHub } from "../fake-hub.js";
import { each, folder, hocket, type Run, read, succeeds } from "./hocket.js";

/** One signal, so many milliseconds after the start, and what came of it. Ends long before the work would. */
async function stopped(
  args: readonly string[],
  at: number,
  cwd: string,
  signal: NodeJS.Signals = "SIGINT",
): Promise<Run> {
  const before = readdirSync(cwd);
  let sent = 0;
  const run = await hocket(args, {
    cwd,
    watch: ({ kill, milliseconds }) => {
      if (sent > 0 || milliseconds < at) return;
      sent = performance.now();
      kill(signal);
    },
  });
  assert.ok(performance.now() - sent < 8000, "took longer to stop than anybody waits");
  assert.deepEqual(run.files, before, "something was left behind");
  assert.equal(run.stdout, "");
  return run;
}

suite("stopping", { concurrency: 1 }, () => {
  test("Ctrl-C while it composes: 130, one word, nothing left", async () => {
    const args = ["generate", "bells", "--duration", "600", "-o", "a.wav", "--codes", "a.st"];
    await each([1500, 2000, 2500], async (at) => {
      const { code, stderr } = await stopped(args, at, folder());
      assert.deepEqual([code, stderr], [130, "stopped\n"]);
    });
    assert.equal((await stopped(args, 2000, folder(), "SIGTERM")).code, 143);
  });

  test("Ctrl-C at any other moment", async () => {
    const sound = { sampleRate: 44_100, channels: [0, 1].map(() => new Float32Array(60 * 44_100).fill(0.1)) };
    const cwd = folder({ "long.wav": writeWav(sound, { bits: 16 }) });
    const generate = ["generate", "bells", "--duration", "600"];
    const encode = ["encode", join(cwd, "long.wav"), "-o", "a.st", "--png", "a.png"];
    const moments = [50, 150, 250, 350, 500, 700, 1000];
    const runs = moments.flatMap((at) => [[generate, at] as const, [encode, at] as const]);
    await each(runs, async ([args, at]) => {
      // Before it listens, and where it compiles, the system ends it: a shell calls that 130 as well.
      const { code, signal, stderr } = await stopped(args, at, folder());
      assert.ok(code === 130 || signal === "SIGINT", `after ${at} ms: ${code} ${signal} ${stderr}`);
      assert.ok(stderr === "stopped\n" || (stderr === "" && signal === "SIGINT"), stderr);
    });
  });

  test("Ctrl-C while it fetches a model: what has arrived stays, and the next one goes on", async () => {
    const hub = await startHub({ cuts: [1_000_000, 1000, 1000, 1000, 1000] });
    const stored = () => readdirSync(hub.cache, { recursive: true }).map((name) => join(hub.cache, String(name)));
    const arrived = () => stored().some((name) => name.endsWith(".incomplete") && statSync(name).size > 0);
    let sent = false;
    const { code, stderr } = await hocket(["pull", ID], {
      env: hub.environment,
      watch: ({ kill }) => {
        if (sent || hub.sent() < 1_000_000 || !arrived()) return;
        sent = true;
        kill("SIGINT");
      },
    });
    assert.deepEqual([code, stderr], [130, "fetching model.safetensors (3.0 MB)\nstopped\n"]);
    assert.ok(arrived());
    assert.ok(!stored().some((name) => name.endsWith(".hocket")), "the lock is still there");
    hub.behave({});
    await succeeds(["pull", ID], { env: hub.environment });
    assert.match(`${hub.headers.at(-1)!.range}`, /^bytes=[1-9]/, "it was fetched from the beginning");
  });
});

suite("a machine that does not help", { concurrency: 2 }, () => {
  const generate = ["generate", "x", "--duration", "1", "--seed", "1", "-o", "out/a.wav"];
  const place = () => {
    const cwd = folder();
    mkdirSync(join(cwd, "out"));
    return cwd;
  };
  const fails = async (run: Promise<Run>, cwd: string, code: number, message: RegExp) => {
    const { stderr, stdout, code: exit } = await run;
    assert.match(stderr, message);
    assert.match(stderr, /^[^\n]+\n$/);
    assert.equal(exit, code);
    assert.equal(stdout, "");
    assert.deepEqual(readdirSync(join(cwd, "out")), []);
  };

  test("a file larger than allowed", async () => {
    const cwd = place();
    await fails(
      hocket(generate, { cwd, shell: "ulimit -f 8" }),
      cwd,
      1,
      /a.wav could not be written: it is larger than files/,
    );
  });

  test("a disk that is full, or fills up, or is read-only", async (t) => {
    const cwd = place();
    const out = join(cwd, "out");
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=16k", "tmpfs", out], { stdio: "ignore" });
    } catch {
      return t.skip("mounting a small disk needs root");
    }
    try {
      await fails(hocket(generate, { cwd }), cwd, 1, /a.wav could not be written: the disk is full; free some space/);
      execFileSync("mount", ["-o", "remount,ro", out]);
      await fails(hocket(generate, { cwd }), cwd, 2, /cannot write to out: its disk is read-only/);
    } finally {
      execFileSync("umount", [out]);
    }
  });

  test("a folder that may not be written", async () => {
    const cwd = place();
    chmodSync(cwd, 0o755);
    chmodSync(join(cwd, "out"), 0o555);
    const nobody = process.getuid?.() === 0 ? { uid: 65_534 } : {};
    await fails(hocket(generate, { cwd, ...nobody }), cwd, 2, /cannot write to out: you may not write there/);
  });

  test("nobody who reads: the file is made all the same", async () => {
    const cwd = folder();
    const { code, stderr } = await hocket(["generate", "x", "--duration", "0.5", "-o", "a.wav"], { cwd, deaf: true });
    assert.equal(code, 0, stderr);
    assert.equal((await decodeAudio(read(cwd, "a.wav"), "a.wav")).channels[0]!.length, 8000);
    const closed = ["inspect", "a.wav"];
    assert.equal((await hocket(closed, { cwd, deaf: true })).code, 0);
    assert.equal((await hocket(closed, { cwd, shell: "exec 2>&-" })).code, 0);
    const full = await hocket(closed, { cwd, shell: "exec >/dev/full" });
    assert.equal(full.code, 1);
    assert.match(full.stderr, /^the output could not be written: ENOSPC[^\n]*\n$/);
  });
});
