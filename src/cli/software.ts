/** @file Who we are: name and version, as files that we write say it. */

import { readFileSync } from "node:fs";

const { version } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

export const software = `hocket ${version}`;
