/** @file How the studio is built: into studio/dist, which the package ships and `hocket serve` serves. */

import type { UserConfig } from "vite";

const config: UserConfig = {
  base: "/",
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // fonts and pictures are files: the page's policy is strict
    reportCompressedSize: true,
  },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
};

// biome-ignore lint/style/noDefaultExport: Vite asks for it
export default config;
