/** @file Sound that grows: samples arrive in order, and whoever plays or draws it reads what is there. */

export class Track {
  /** No more is to come. */
  whole = false;
  /** Called when there is more. */
  readonly listeners = new Set<() => void>();
  #channels: Float32Array<ArrayBuffer>[];
  #length = 0;

  constructor(
    readonly sampleRate: number,
    channels: number,
    /** Whose sound it is. */
    readonly take: string,
    readonly piece: number,
    /** Of a sound that is no take: what to call it, and where it is. */
    readonly about?: { readonly name: string; readonly address: string },
  ) {
    this.#channels = Array.from({ length: channels }, () => new Float32Array(sampleRate));
  }

  /** Samples of a channel so far. */
  get length(): number {
    return this.#length;
  }

  get seconds(): number {
    return this.#length / this.sampleRate;
  }

  get channelCount(): number {
    return this.#channels.length;
  }

  /** @param at the first sample's place; what is there already is not taken again */
  add(at: number, more: readonly Float32Array[]): void {
    const known = this.#length - at;
    const end = at + more[0]!.length;
    if (known < 0 || end <= this.#length) return;
    if (end > this.#channels[0]!.length)
      this.#channels = this.#channels.map((channel) => {
        const larger = new Float32Array(Math.max(end, 2 * channel.length));
        larger.set(channel.subarray(0, this.#length));
        return larger;
      });
    for (const [c, channel] of this.#channels.entries()) channel.set(more[c]!.subarray(known), this.#length);
    this.#length = end;
    for (const listener of this.listeners) listener();
  }

  end(): void {
    this.whole = true;
    for (const listener of this.listeners) listener();
  }

  /** [C][end - start], not copied: read it at once. */
  slice(start: number, end: number): Float32Array<ArrayBuffer>[] {
    return this.#channels.map((channel) => channel.subarray(start, Math.min(end, this.#length)));
  }
}
