import { errorMessage, NgatuError } from '@ngatu/contract';
import { computeCrc32 } from './crc32.ts';

/**
 * The least of ZIP (APPNOTE 6.3.10) that every archive program opens: entries are stored, not compressed, without extra fields,
 * data descriptors or comments of their own, one after the other without a byte between. The archive comment is the caller's.
 */

export interface ZipEntry {
  readonly path: string;
  readonly bytes: Uint8Array;
}

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const END_BYTES = 22;
const VERSION = 20;
/** Made on Unix, with this version: the permissions below are read as Unix ones. */
const MADE_BY = (3 << 8) | VERSION;
const FILE_MODE = 0o100644 << 16;
const MAX_ENTRIES = 4_096;
/** ZIP without its 64-bit extension counts bytes with 32 bits. */
const MAX_BYTES = 0xffffffff;
const PATH = /^[a-z0-9][a-z0-9._-]*(\/[a-z0-9][a-z0-9._-]*)*$/;

interface EntryHead {
  readonly path: string;
  readonly crc: number;
  readonly sizeBytes: number;
  readonly offset: number;
}

/** Gives the bytes of an archive piece by piece; only the entry at hand has to be in memory. */
export class StoredZipWriter {
  readonly #heads: EntryHead[] = [];
  readonly #stamp: number;
  #offset = 0;

  /** `stamp`: when the entries were made, see `toZipStamp`. */
  constructor(stamp: number) {
    this.#stamp = stamp;
  }

  /** @throws RangeError where the path is not one of ours, or is there twice */
  add({ path, bytes }: ZipEntry): Uint8Array[] {
    if (!PATH.test(path) || this.#heads.some((head) => head.path === path))
      throw new RangeError(`not a path of an archive, or there twice: ${path}`);
    const head = { path, crc: computeCrc32(bytes), sizeBytes: bytes.length, offset: this.#offset };
    const local = this.#encodeLocal(head);
    this.#offset += local.length + bytes.length;
    if (this.#offset > MAX_BYTES || this.#heads.length >= MAX_ENTRIES)
      throw new RangeError('an archive of more than 4 GiB or 4,096 entries');
    this.#heads.push(head);
    return [local, bytes];
  }

  /** The directory and the comment, ASCII, to the last byte. */
  finish(comment: string): Uint8Array {
    const directory = this.#heads.map((head) => this.#encodeCentral(head));
    const sizeBytes = directory.reduce((sum, bytes) => sum + bytes.length, 0);
    const end = new Uint8Array(END_BYTES);
    const view = new DataView(end.buffer);
    view.setUint32(0, END, true);
    view.setUint16(8, this.#heads.length, true);
    view.setUint16(10, this.#heads.length, true);
    view.setUint32(12, sizeBytes, true);
    view.setUint32(16, this.#offset, true);
    view.setUint16(20, comment.length, true);
    return join([...directory, end, encodeAscii(comment)]);
  }

  #encodeLocal({ path, crc, sizeBytes }: EntryHead): Uint8Array {
    const bytes = new Uint8Array(LOCAL_BYTES + path.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, LOCAL, true);
    view.setUint16(4, VERSION, true);
    view.setUint32(10, this.#stamp, true);
    view.setUint32(14, crc, true);
    view.setUint32(18, sizeBytes, true);
    view.setUint32(22, sizeBytes, true);
    view.setUint16(26, path.length, true);
    bytes.set(encodeAscii(path), LOCAL_BYTES);
    return bytes;
  }

  #encodeCentral({ path, crc, sizeBytes, offset }: EntryHead): Uint8Array {
    const bytes = new Uint8Array(CENTRAL_BYTES + path.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, CENTRAL, true);
    view.setUint16(4, MADE_BY, true);
    view.setUint16(6, VERSION, true);
    view.setUint32(12, this.#stamp, true);
    view.setUint32(16, crc, true);
    view.setUint32(20, sizeBytes, true);
    view.setUint32(24, sizeBytes, true);
    view.setUint16(28, path.length, true);
    view.setUint32(38, FILE_MODE, true);
    view.setUint32(42, offset, true);
    bytes.set(encodeAscii(path), CENTRAL_BYTES);
    return bytes;
  }
}

/**
 * Reads an archive that `StoredZipWriter` wrote, and nothing else: written again from its entries it must be the same bytes, so
 * that no program can see other contents in it than this one. The entries are views of `bytes`.
 * @throws NgatuError EXPORT_INVALID
 */
export function readStoredZip(bytes: Uint8Array, comment: string): ZipEntry[] {
  const endOffset = bytes.length - comment.length - END_BYTES;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (endOffset < 0 || view.getUint32(endOffset, true) !== END)
    throw refuse('the end of its directory is not where it belongs');
  const { entries, stamp } = listEntries(bytes, view, endOffset);
  const writer = new StoredZipWriter(stamp);
  let at = 0;
  const compare = (part: Uint8Array, what: string): void => {
    if (!isSame(part, bytes.subarray(at, at + part.length))) throw refuse(`${what} is damaged`);
    at += part.length;
  };
  for (const entry of entries) for (const part of addAgain(writer, entry)) compare(part, entry.path);
  compare(writer.finish(comment), 'its directory');
  return entries;
}

function listEntries(
  bytes: Uint8Array,
  view: DataView,
  endOffset: number,
): { entries: ZipEntry[]; stamp: number } {
  const count = view.getUint16(endOffset + 8, true);
  let at = view.getUint32(endOffset + 16, true);
  const stamp = at + CENTRAL_BYTES <= endOffset ? view.getUint32(at + 12, true) : 0;
  const entries: ZipEntry[] = [];
  for (let index = 0; index < count && index < MAX_ENTRIES; index++) {
    if (at + CENTRAL_BYTES > endOffset || view.getUint32(at, true) !== CENTRAL)
      throw refuse(`its entry ${index + 1} is not in the directory`);
    const sizeBytes = view.getUint32(at + 24, true);
    const pathEnd = at + CENTRAL_BYTES + view.getUint16(at + 28, true);
    const begin = view.getUint32(at + 42, true) + LOCAL_BYTES + (pathEnd - at - CENTRAL_BYTES);
    if (pathEnd > endOffset || begin + sizeBytes > endOffset)
      throw refuse(`its entry ${index + 1} does not lie where the directory says`);
    const path = String.fromCharCode(...bytes.subarray(at + CENTRAL_BYTES, pathEnd));
    entries.push({ path, bytes: bytes.subarray(begin, begin + sizeBytes) });
    at = pathEnd;
  }
  return { entries, stamp };
}

/** Byte for byte. */
export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}

/** Paths that the writer would not take are refused by the same rule. */
function addAgain(writer: StoredZipWriter, entry: ZipEntry): Uint8Array[] {
  try {
    return writer.add(entry);
  } catch (cause) {
    throw new NgatuError('EXPORT_INVALID', `Cannot read the export: ${errorMessage(cause)}`, { cause });
  }
}

function refuse(reason: string): NgatuError {
  return new NgatuError('EXPORT_INVALID', `Cannot read the export: ${reason}`);
}

function encodeAscii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** An instant as ZIP writes it: date in the upper, time in the lower half, UTC, in steps of two seconds. */
export function toZipStamp(atMs: number): number {
  const at = new Date(atMs);
  const date = ((at.getUTCFullYear() - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate();
  const time = (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1);
  return ((date << 16) | time) >>> 0;
}
