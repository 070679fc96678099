interface Element {
  readonly tag: number;
  readonly from: number;
  readonly to: number;
}

/** AlgorithmIdentifier of ecdsa-with-SHA256, RFC 5758 section 3.2: the content of its SEQUENCE. */
const ECDSA_SHA256 = '06082a8648ce3d040302';
const [SEQUENCE, BIT_STRING, INTEGER] = [0x30, 0x03, 0x02];

/**
 * True where what stands around the signed part of a certificate is written in the one way that DER allows (X.690 section 10): a
 * sequence of the signed part, ecdsa-with-SHA256 and a signature, and nothing behind. The signature does not cover these bytes, and
 * readers forgive much in them.
 */
export function hasStrictFrame(der: Uint8Array): boolean {
  const whole = readElement(der, 0, der.length);
  if (whole?.tag !== SEQUENCE || whole.to !== der.length) return false;
  const signed = readElement(der, whole.from, whole.to);
  const algorithm = signed && readElement(der, signed.to, whole.to);
  const bits = algorithm && readElement(der, algorithm.to, whole.to);
  if (signed?.tag !== SEQUENCE || algorithm?.tag !== SEQUENCE || bits?.tag !== BIT_STRING) return false;
  const oid = Array.from(der.subarray(algorithm.from, algorithm.to), toHex).join('');
  return oid === ECDSA_SHA256 && bits.to === whole.to && isSignature(der, bits);
}

/** No unused bits, then a sequence of two positive integers without needless zeros. */
function isSignature(der: Uint8Array, bits: Element): boolean {
  if (der[bits.from] !== 0) return false;
  const pair = readElement(der, bits.from + 1, bits.to);
  if (pair?.tag !== SEQUENCE || pair.to !== bits.to) return false;
  const first = readElement(der, pair.from, pair.to);
  const second = first && readElement(der, first.to, pair.to);
  if (second?.to !== pair.to) return false;
  return [first, second].every((element) => element !== undefined && isPositiveInteger(der, element));
}

function isPositiveInteger(der: Uint8Array, { tag, from, to }: Element): boolean {
  const [first = 0x80, second = 0] = der.subarray(from, to);
  return tag === INTEGER && first < 0x80 && (first !== 0 || (to - from > 1 && second >= 0x80));
}

/** One element of short or long definite length, no longer than it must be. */
function readElement(der: Uint8Array, at: number, end: number): Element | undefined {
  const [tag, head] = der.subarray(at, at + 2);
  if (tag === undefined || head === undefined || at + 2 > end) return undefined;
  const count = head < 0x80 ? 0 : head - 0x80;
  if (count > 2) return undefined;
  const bytes = der.subarray(at + 2, at + 2 + count);
  const length = count === 0 ? head : bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  const isShortest = count === 0 ? head < 0x80 : length >= (count === 1 ? 0x80 : 0x100);
  const from = at + 2 + count;
  return isShortest && bytes.length === count && from + length <= end
    ? { tag, from, to: from + length }
    : undefined;
}

function toHex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
