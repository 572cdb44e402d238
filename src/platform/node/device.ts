/**
 * @file The process that computes on a GPU. A process, since a driver that fails takes the process down that it is in, and
 * since the runtime's WebGPU (1.30) does not survive two threads.
 */

import { HocketError } from "../../errors.js";
import type { Device } from "../platform.js";
import { Computing } from "./computing.js";
import { checkHardware, checkIncluded, explained } from "./device-errors.js";
import type { Reply, Request } from "./thread-messages.js";

const [device, root] = process.argv.slice(2) as [Device, string];
const computing = new Computing(root, device);

let last = Promise.resolve();
process.on("message", (request: Request) => {
  last = last.then(() => serve(request));
});
process.on("disconnect", () => process.exit()); // nobody is there any more

async function serve(request: Request): Promise<void> {
  const reply = (message: Reply) => process.send!(message);
  try {
    if (request.do === "create" || request.do === "find") checkIncluded(device);
    const result = await computing.answer(request);
    if (request.do === "find") checkHardware();
    reply({ call: request.call, result });
  } catch (thrown) {
    const error = explained(device, thrown);
    const code = error instanceof HocketError && error.code !== "internal" ? { code: error.code } : {};
    reply({ call: request.call, error: error.message, ...code });
  }
}
