/** @file The runtime as a short-lived process needs it: silent, started by the first graph, ended between two of them. */

import { createRuntime, type Runtime, type Session } from "#platform";

/**
 * Most mistakes are found before anything is computed; then no thread is started. One that is started is not ended while
 * it loads native code or compiles a graph: that aborts the process.
 */
export function startRuntime(): Runtime {
  // ONNX Runtime would report to its makers, and reads the command line for it: prompts are nobody's business, and one
  // of 10,000 characters overflows its stack. It looks at this once, when it is loaded.
  process.env.ORT_DISABLE_TELEMETRY = "1";
  let started: Runtime | undefined;
  let creating: Promise<unknown> = Promise.resolve();
  const runtime = () => {
    started ??= createRuntime();
    return started;
  };
  return {
    external: (location) => runtime().external(location),
    createSession(model, options): Promise<Session> {
      const session = runtime().createSession(model, options);
      creating = Promise.allSettled([creating, session]);
      return session;
    },
    async dispose() {
      await creating;
      await started?.dispose();
    },
  };
}
