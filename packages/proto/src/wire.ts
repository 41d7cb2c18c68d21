// Reader and writer of the generated code: 64-bit fields are plain numbers.
//
// biome-ignore-all lint/suspicious/noExplicitAny: the library's types say bigint | string
//
// Nothing here needs more than a double holds: indexes stay far below 2^53, and a point in time
// in nanoseconds is exact to 256 ns, which is finer than the millisecond clock it comes from.
// Durations are whole in every unit people write. BigInt, the library's own choice, does not go
// into JSON.
import { BinaryReader as LibraryReader, BinaryWriter as LibraryWriter } from "@bufbuild/protobuf/wire";

const TWO_32 = 4294967296;

export class BinaryReader extends LibraryReader {
  override int64(): any {
    return Number(super.int64());
  }

  override uint64(): any {
    return Number(super.uint64());
  }

  override fixed64(): any {
    const lo = this.fixed32();
    return this.fixed32() * TWO_32 + lo;
  }
}

export class BinaryWriter extends LibraryWriter {
  override int64(value: any): this {
    // Small values, nearly all of them, need no 64-bit arithmetic.
    if (value >= 0 && value < TWO_32) return this.uint32(value);
    return super.int64(BigInt(value));
  }

  override uint64(value: any): this {
    if (value < TWO_32) return this.uint32(value);
    return super.uint64(BigInt(value));
  }

  override fixed64(value: any): this {
    this.fixed32((value % TWO_32) >>> 0);
    return this.fixed32(Math.floor(value / TWO_32));
  }
}
