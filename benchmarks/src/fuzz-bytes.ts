import type { FuzzRandom } from './fuzz-random.ts';

/** Numbers at which fields of 8, 16 and 32 bits break: none, one, signs, limits. */
const EDGES = [
  0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff,
] as const;
const MAX_INSERTED = 64;

/** Changes a copy of `bytes` and returns it; it may be another buffer. */
type ByteMutation = (bytes: Buffer, random: FuzzRandom) => Buffer;

const flipBit: ByteMutation = (bytes, random) => {
  const at = random.below(bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
  return bytes;
};

const setByte: ByteMutation = (bytes, random) => {
  bytes[random.below(bytes.length)] = random.pick([0, 0xff, 0x80, 0x0a, 0x22, 0x5c, random.below(256)]);
  return bytes;
};

const truncate: ByteMutation = (bytes, random) => bytes.subarray(0, random.below(bytes.length));

const cutOut: ByteMutation = (bytes, random) => {
  const from = random.below(bytes.length);
  const length = 1 + random.below(Math.min(bytes.length - from, 256));
  return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + length)]);
};

const insertBytes: ByteMutation = (bytes, random) => {
  const at = random.below(bytes.length + 1);
  const added = Buffer.alloc(1 + random.below(MAX_INSERTED));
  const value = random.pick([0, 0xff, undefined]);
  for (let i = 0; i < added.length; i++) added[i] = value ?? random.below(256);
  return Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at)]);
};

const repeatPart: ByteMutation = (bytes, random) => {
  const from = random.below(bytes.length);
  const part = bytes.subarray(from, from + 1 + random.below(Math.min(bytes.length - from, 512)));
  const copies = Array.from({ length: 1 + random.below(8) }, () => part);
  return Buffer.concat([bytes.subarray(0, from), ...copies, bytes.subarray(from)]);
};

const swapParts: ByteMutation = (bytes, random) => {
  const size = 1 + random.below(Math.min(64, Math.floor(bytes.length / 2)));
  const a = random.below(bytes.length - size);
  const b = random.below(bytes.length - size);
  const kept = Buffer.from(bytes.subarray(a, a + size));
  bytes.copyWithin(a, b, b + size);
  kept.copy(bytes, b);
  return bytes;
};

/** A field of one, two or four bytes, in either order, lies about a length, a count, an offset. */
const lieAboutLength: ByteMutation = (bytes, random) => {
  const size = random.pick([1, 2, 4]);
  if (bytes.length < size) return bytes;
  const at = random.below(bytes.length - size + 1);
  const value = random.pick([...EDGES, bytes.length, bytes.length - at, bytes.length * 2]) % 2 ** (8 * size);
  if (random.unit() < 0.5) bytes.writeUIntBE(value, at, size);
  else bytes.writeUIntLE(value, at, size);
  return bytes;
};

/** NaN, infinities and the largest numbers where floats stand. */
const writeFloat: ByteMutation = (bytes, random) => {
  if (bytes.length < 8) return bytes;
  const value = random.pick([
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    1e300,
    -0,
    5e-324,
  ]);
  const at = random.below(bytes.length - 7) & ~3;
  if (random.unit() < 0.7) bytes.writeFloatLE(value, at);
  else bytes.writeDoubleLE(value, at);
  return bytes;
};

const MUTATIONS = [
  flipBit,
  flipBit,
  setByte,
  truncate,
  cutOut,
  insertBytes,
  repeatPart,
  swapParts,
  lieAboutLength,
  lieAboutLength,
  writeFloat,
] as const;

/** Changes bytes without a sense of what they mean. The result is a buffer of its own, `maxBytes` long at most. */
export function mutateBytes(input: Uint8Array, random: FuzzRandom, maxBytes: number): Buffer {
  let bytes: Buffer = Buffer.from(input);
  for (let times = 1 + random.below(4); times > 0; times--) {
    if (bytes.length < 3) return insertBytes(bytes, random);
    bytes = random.pick(MUTATIONS)(bytes, random);
  }
  return bytes.length > maxBytes ? bytes.subarray(0, maxBytes) : bytes;
}
