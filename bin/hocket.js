#!/usr/bin/env node
import { existsSync } from "node:fs";

const main = new URL("../dist/src/cli/main.js", import.meta.url);
if (!existsSync(main)) {
  console.error("hocket is not built: run 'npm ci' (or 'npm run build') in its folder first");
  process.exit(1);
}
await import(main.href);
