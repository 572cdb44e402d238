// Writes zod as one file without the words of other languages, dist/src/zod.js, which `#zod` stands for: from its package it
// comes as 100 files, half of them those words, and takes a third of the time that importing Hocket takes.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const file = fileURLToPath(new URL("../dist/src/zod.js", import.meta.url));

export const isBundled = () => existsSync(file);

export async function bundleZod() {
  const others = "\0no other languages";
  const bundle = await rolldown({
    input: "zod",
    platform: "node",
    plugins: [
      {
        name: "english",
        resolveId: (id) => (id.endsWith("/locales/index.js") ? others : null),
        load: (id) => (id === others ? "export {};" : null),
      },
    ],
  });
  await bundle.write({ file, format: "esm", minify: true });
  await bundle.close();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundleZod();
