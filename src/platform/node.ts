/** @file What Node offers behind `#platform`: files, and the model hub. */

export * from "./node/files.js";
export * from "./node/hub.js";
