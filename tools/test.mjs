// Runs every compiled test (dist/**/*.test.js), or those whose path contains one of the arguments.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";
import { bundleZod, isBundled } from "./bundle-zod.mjs";

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

if (!isBundled()) await bundleZod();
for (const [part, name, programs] of [
  ["studio/", "chromium", ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]],
  ["server/redis", "redis-server", ["/usr/bin/redis-server", "/usr/local/bin/redis-server"]],
])
  if (files.some((file) => file.includes(part)) && !programs.some(existsSync)) install(name);

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

/** Where Debian's packages can be installed they are; elsewhere the tests say what they miss. */
function install(name) {
  if (process.platform !== "linux" || process.getuid() !== 0 || !existsSync("/usr/bin/apt-get")) return;
  console.error(`installing ${name}, which tests need`);
  const apt = (...words) => spawnSync("apt-get", ["-qq", "-y", ...words], { stdio: ["ignore", 2, 2] }).status === 0;
  if (!apt("install", "--no-install-recommends", name) && apt("update"))
    apt("install", "--no-install-recommends", name);
}
