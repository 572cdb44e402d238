/** @file Streams of bytes as responses want them: made as fast as they are read, and ended when nobody reads them. */

/** Whoever asks. */
export interface Reader {
  readonly request: Request;
  /** Ends the connection, so that what came is known not to be whole. */
  readonly cut: () => void;
}

/**
 * The first part is waited for: what fails before it can still be answered as a problem.
 * @param make is told by its signal when the reader has left
 */
export async function streamOf(
  make: (signal: AbortSignal) => AsyncGenerator<Uint8Array | string>,
  { request, cut }: Reader,
): Promise<ReadableStream<Uint8Array>> {
  const left = new AbortController();
  const parts = make(AbortSignal.any([left.signal, request.signal]));
  const encoder = new TextEncoder();
  let first: IteratorResult<Uint8Array | string> | undefined = await parts.next();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = first ?? (await parts.next());
          first = undefined;
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
