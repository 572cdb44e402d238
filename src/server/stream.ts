/** @file Streams of bytes as responses want them: made as fast as they are read, and ended when nobody reads them. */

/**
 * @param make is told by its signal when the reader has left
 * @param cut ends the connection, so that the reader knows that what came is not whole
 */
export function streamOf(
  make: (signal: AbortSignal) => AsyncGenerator<Uint8Array | string>,
  cut: () => void,
): ReadableStream<Uint8Array> {
  const left = new AbortController();
  const parts = make(left.signal);
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await parts.next();
          if (done === true) controller.close();
          else controller.enqueue(typeof value === "string" ? encoder.encode(value) : value);
        } catch {
          cut();
          controller.close();
        }
      },
      cancel() {
        left.abort();
        parts.return(undefined).catch(() => {});
      },
    },
    { highWaterMark: 0 },
  );
}
