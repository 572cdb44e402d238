/** @file Who is next: clients take turns, and each client's own come in their order. */

interface Waiting<T> {
  readonly id: string;
  readonly item: T;
}

export class FairQueue<T> {
  /** In the order of their turns; none is empty. */
  readonly #clients = new Map<string, Waiting<T>[]>();
  readonly #clientOf = new Map<string, string>();

  get size(): number {
    return this.#clientOf.size;
  }

  sizeOf(client: string): number {
    return this.#clients.get(client)?.length ?? 0;
  }

  add(client: string, id: string, item: T): void {
    const own = this.#clients.get(client) ?? [];
    this.#clients.set(client, own);
    own.push({ id, item });
    this.#clientOf.set(id, client);
  }

  remove(id: string): T | undefined {
    const client = this.#clientOf.get(id);
    const own = this.#clients.get(client ?? "");
    const at = own?.findIndex((each) => each.id === id) ?? -1;
    if (client === undefined || own === undefined || at < 0) return undefined;
    const [removed] = own.splice(at, 1);
    this.#clientOf.delete(id);
    if (own.length === 0) this.#clients.delete(client);
    return removed!.item;
  }

  /**
   * The next one, and those that may come with it: further turns are taken as long as `joins` says that the client's next
   * can be done together with what was taken.
   */
  take(joins: (taken: readonly T[], next: T) => boolean = () => false): T[] {
    const taken: T[] = [];
    for (let found = true; found; ) {
      found = false;
      for (const [client, [first]] of [...this.#clients]) {
        if (taken.length > 0 && !joins(taken, first!.item)) continue;
        taken.push(this.remove(first!.id)!);
        const rest = this.#clients.get(client);
        this.#clients.delete(client);
        if (rest !== undefined) this.#clients.set(client, rest); // behind the others
        found = true;
        if (taken.length === 1) break; // whoever is first now is asked first
      }
    }
    return taken;
  }

  /** How many come before it if each is taken alone; undefined if it does not wait. */
  position(id: string): number | undefined {
    const client = this.#clientOf.get(id);
    if (client === undefined) return undefined;
    const turns = [...this.#clients.keys()];
    const own = turns.indexOf(client);
    const round = this.#clients.get(client)!.findIndex((each) => each.id === id);
    return turns.reduce(
      (sum, other, turn) => sum + Math.min(this.sizeOf(other), other === client || turn > own ? round : round + 1),
      0,
    );
  }
}
