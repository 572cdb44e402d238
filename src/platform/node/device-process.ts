/** @file The caller's end of the process that computes on a GPU. */

import { fork } from "node:child_process";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { HocketError } from "../../errors.js";
import type { Device } from "../platform.js";
import { Calls, type Computer } from "./calls.js";
import type { Reply, Unnumbered } from "./thread-messages.js";

export class DeviceProcess implements Computer {
  readonly #child;
  readonly #calls = new Calls((waiting) => this.#hold(waiting));
  readonly #exit: Promise<unknown>;
  /** The end of what the runtime and the driver had to say. */
  #said = "";

  /** @param root the folder that the paths of weights start from */
  constructor(
    readonly device: Device,
    root: string,
  ) {
    this.#child = fork(fileURLToPath(new URL("./device.js", import.meta.url)), [device, root], {
      serialization: "advanced", // tensors as they are
      execArgv: [],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#exit = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.stderr!.on("data", (text) => {
      this.#said = `${this.#said}${text}`.slice(-2000);
    });
    this.#child.on("message", (reply: Reply) => this.#calls.answer(reply));
    this.#child.on("error", (error) => this.#ended(error.message, error));
    this.#child.on("exit", (status, signal) => this.#ended(signal ?? `status ${status}`));
    this.#hold(false);
  }

  call(request: Unnumbered): Promise<unknown> {
    return this.#calls.make((call) => this.#child.send({ ...request, call }));
  }

  close(id: number): Promise<void> {
    return this.#calls.unlessEnded(this.call({ do: "close", id }));
  }

  async end(why: Error): Promise<void> {
    this.#calls.fail(why);
    this.#hold(true);
    this.#child.kill("SIGKILL"); // what it computes is for nobody
    if (this.#child.pid !== undefined) await this.#exit;
  }

  #ended(how: string, cause?: Error): void {
    const words = this.#said.trim().split("\n").at(-1)!;
    this.#calls.fail(
      new HocketError(
        "internal",
        `the process that computes on ${this.device} ended (${how}${words === "" ? "" : `: ${words}`}); --device cpu goes without it`,
        { cause },
      ),
    );
  }

  /** Whether this process lives on for the other. */
  #hold(waiting: boolean): void {
    for (const end of [this.#child, this.#child.channel, this.#child.stderr as Socket | null])
      if (waiting) end?.ref();
      else end?.unref();
  }
}
