/** @file The few rules of Protocol Buffers' wire format that writing an ONNX file takes. */

/** Appends fields to a message. Source: protobuf.dev, "Encoding". */
export class Message {
  #bytes = new Uint8Array(1024);
  #length = 0;

  /** A whole number or an enum (wire type 0). */
  int(field: number, value: number): this {
    this.#varint(field * 8);
    this.#varint(value);
    return this;
  }

  /** Whole numbers, packed (wire type 2). */
  ints(field: number, values: readonly number[]): this {
    const packed = new Message();
    for (const value of values) packed.#varint(value);
    return this.bytes(field, packed.finish());
  }

  /** A single-precision number (wire type 5). */
  float(field: number, value: number): this {
    this.#varint(field * 8 + 5);
    this.#append(new Uint8Array(Float32Array.of(value).buffer));
    return this;
  }

  string(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  message(field: number, value: Message): this {
    return this.bytes(field, value.finish());
  }

  bytes(field: number, value: Uint8Array): this {
    this.#varint(field * 8 + 2);
    this.#varint(value.length);
    this.#append(value);
    return this;
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /** Seven bits a byte, lowest first; a negative number is its 64-bit two's complement. */
  #varint(value: number): void {
    const out: number[] = [];
    let rest = value < 0 ? BigInt.asUintN(64, BigInt(value)) : BigInt(value);
    for (; rest > 127n; rest >>= 7n) out.push(Number(rest & 127n) | 128);
    this.#append(Uint8Array.of(...out, Number(rest)));
  }

  #append(bytes: Uint8Array): void {
    const needed = this.#length + bytes.length;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = needed;
  }
}
