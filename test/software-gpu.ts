/** @file For tests: a GPU made of software, where one is installed, so that what runs on GPUs is tried without one. */

import { existsSync } from "node:fs";

const drivers = [
  "/usr/lib/chromium/vk_swiftshader_icd.json", // Debian's chromium
  "/opt/google/chrome/vk_swiftshader_icd.json",
];

/**
 * Lets the processes of WebGPU that are started from now on compute with SwiftShader, unless a driver is named already.
 * @returns why the tests that need one are skipped, or false
 */
export function useSoftwareGpu(): string | false {
  process.env.VK_ICD_FILENAMES ??= drivers.find((path) => existsSync(path)) ?? "";
  if (process.env.VK_ICD_FILENAMES !== "") return false;
  delete process.env.VK_ICD_FILENAMES;
  return "no Vulkan driver: Debian's package chromium brings SwiftShader";
}
