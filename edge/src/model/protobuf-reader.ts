/** A field of a protobuf message: its number, and its value as it stands on the wire. */
export interface WireField {
  readonly number: number;
  /** Of a field of type varint; what does not fit into 53 bits is cut to 53. */
  readonly value?: number;
  /** Of a field with a length: a view on the input, not a copy. */
  readonly bytes?: Uint8Array;
}

/**
 * The fields of a protobuf message in their order (https://protobuf.dev/programming-guides/encoding). Fields of 32 and 64 bits are passed
 * over without their value.
 * @throws RangeError where the bytes are no message, saying where
 */
export function* listFields(message: Uint8Array): Generator<WireField> {
  const cursor = { at: 0 };
  while (cursor.at < message.length) {
    const tag = takeVarint(message, cursor);
    const number = Math.floor(tag / 8);
    if (number === 0) throw new RangeError(`no field is numbered 0 (byte ${cursor.at})`);
    switch (tag % 8) {
      case 0:
        yield { number, value: takeVarint(message, cursor) };
        break;
      case 1:
        skip(message, cursor, 8);
        yield { number };
        break;
      case 2: {
        const length = takeVarint(message, cursor);
        const from = cursor.at;
        skip(message, cursor, length);
        yield { number, bytes: message.subarray(from, cursor.at) };
        break;
      }
      case 5:
        skip(message, cursor, 4);
        yield { number };
        break;
      default:
        throw new RangeError(`no field is of wire type ${tag % 8} (byte ${cursor.at})`);
    }
  }
}

interface Cursor {
  at: number;
}

const MAX_VARINT_BYTES = 10;

function takeVarint(message: Uint8Array, cursor: Cursor): number {
  let value = 0;
  let factor = 1;
  for (let count = 0; count < MAX_VARINT_BYTES; count++) {
    const byte = message[cursor.at];
    if (byte === undefined) throw new RangeError(`it ends within a number (byte ${cursor.at})`);
    cursor.at += 1;
    if (factor <= 2 ** 49) value += (byte & 0x7f) * factor;
    factor *= 128;
    if (byte < 0x80) return Math.min(value, Number.MAX_SAFE_INTEGER);
  }
  throw new RangeError(`a number has more than ${MAX_VARINT_BYTES} bytes (byte ${cursor.at})`);
}

function skip(message: Uint8Array, cursor: Cursor, length: number): void {
  if (length > message.length - cursor.at)
    throw new RangeError(`a field of ${length} bytes begins ${message.length - cursor.at} before its end`);
  cursor.at += length;
}
