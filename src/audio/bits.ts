/** @file Numbers of any width in bits, most significant first, as FLAC packs them: written and read. */

export class BitWriter {
  #bytes = new Uint8Array(256);
  /** Whole bytes written so far. */
  #length = 0;
  /** Bits that do not make a byte yet: fewer than 8 between calls, the last in the lowest place. */
  #rest = 0;
  #count = 0;

  /** The lowest `width` bits of `value`, at most 32. */
  write(value: number, width: number): void {
    if (width > 16) {
      this.write(value >>> 16, width - 16);
      this.write(value, 16);
      return;
    }
    this.#rest = (this.#rest << width) | (value & ((1 << width) - 1));
    this.#count += width;
    if (this.#length + 3 > this.#bytes.length) this.#grow();
    while (this.#count >= 8) {
      this.#count -= 8;
      this.#bytes[this.#length++] = this.#rest >>> this.#count;
    }
    this.#rest &= (1 << this.#count) - 1;
  }

  /** `count` zeros, then a one. */
  unary(count: number): void {
    let left = count;
    for (; left > 15; left -= 16) this.write(0, 16);
    this.write(1, left + 1);
  }

  /** Zeros up to the end of the byte. */
  align(): void {
    if (this.#count > 0) this.write(0, 8 - this.#count);
  }

  /** What was written, and zeros up to the end of the last byte. */
  bytes(): Uint8Array {
    if (this.#count === 0) return this.#bytes.slice(0, this.#length);
    const whole = this.#bytes.slice(0, this.#length + 1);
    whole[this.#length] = this.#rest << (8 - this.#count);
    return whole;
  }

  #grow(): void {
    const grown = new Uint8Array(2 * this.#bytes.length);
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}

/** Reads what BitWriter writes. Past the end is a RangeError. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #at: number;

  /** @param offset in bytes. */
  constructor(bytes: Uint8Array, offset: number) {
    this.#bytes = bytes;
    this.#at = 8 * offset;
  }

  /** In bytes; between two reads of whole bytes. */
  get position(): number {
    return this.#at / 8;
  }

  /** `width` bits, at most 32, as a number without sign. */
  read(width: number): number {
    let value = 0;
    for (let left = width; left > 0; ) {
      const used = this.#at % 8;
      const taken = Math.min(8 - used, left);
      value = (value << taken) | ((this.#byte() >>> (8 - used - taken)) & ((1 << taken) - 1));
      this.#at += taken;
      left -= taken;
    }
    return value >>> 0;
  }

  /** The same as a two's complement. */
  signed(width: number): number {
    return width === 0 ? 0 : (this.read(width) << (32 - width)) >> (32 - width);
  }

  /** The number of zeros before the next one, which is read too. */
  unary(): number {
    const start = this.#at;
    for (;;) {
      const rest = (this.#byte() << (24 + (this.#at % 8))) >>> 0; // what is left of the byte, in the highest bits
      if (rest !== 0) {
        this.#at += Math.clz32(rest) + 1;
        return this.#at - start - 1;
      }
      this.#at += 8 - (this.#at % 8);
    }
  }

  align(): void {
    this.#at = 8 * Math.ceil(this.#at / 8);
  }

  #byte(): number {
    const byte = this.#bytes[Math.floor(this.#at / 8)];
    if (byte === undefined) throw new RangeError("read past the end");
    return byte;
  }
}
