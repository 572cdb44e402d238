/** @file Making the next thing ready while the last one is in use. */

/** `make(from)`, `make(from + 1)` and so on without end, each begun before the one before it is handed out. */
export async function* ahead<T>(make: (step: number) => Promise<T>, from = 0): AsyncGenerator<T> {
  let next = make(from);
  try {
    for (let step = from + 1; ; step++) {
      const ready = await next;
      next = make(step);
      yield ready;
    }
  } finally {
    await next.catch(() => {}); // whoever stops listening does not want its error either
  }
}
