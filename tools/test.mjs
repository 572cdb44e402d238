// Runs every compiled test (dist/**/*.test.js), or those whose path contains one of the arguments.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const wanted = process.argv.slice(2);
const files = readdirSync(join(root, "dist"), { recursive: true })
  .filter((file) => file.endsWith(".test.js") && existsSync(join(root, file.replace(/js$/, "ts")))) // not what a deleted test left
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .map((file) => join(root, "dist", file))
  .sort();
if (files.length === 0) {
  console.error(`no tests match ${wanted.join(", ") || "dist/**/*.test.js"}: run 'npm run build' first`);
  process.exit(1);
}

const counts = { passed: 0, failed: 0, skipped: 0 };
run({ files, concurrency: true, timeout: 600_000 })
  .on("test:pass", ({ skip, todo, details }) => {
    if (details.type === "suite") return;
    if (skip !== undefined || todo !== undefined) counts.skipped++;
    else counts.passed++;
  })
  .on("test:fail", ({ details }) => {
    if (details.type !== "suite") counts.failed++;
    process.exitCode = 1;
  })
  .compose(new spec())
  .on("end", () => {
    console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
    if (counts.passed === 0) process.exitCode = 1;
  })
  .pipe(process.stdout);
