import { NgatuError } from '@ngatu/contract';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { isSignedBy, type SealKey, sign } from '../seal/seal-key.ts';
import { readStoredZip, StoredZipWriter, toZipStamp, type ZipEntry } from './stored-zip.ts';

/**
 * A case export is a ZIP archive whose comment ends in the centre's signature. Signed are all bytes of the file before the 128
 * digits of the signature itself: entries, directory, comment and the signer's certificate in it.
 */

const TITLE = 'ngatu case export 1';
const SIGNATURE_LENGTH = 128;
const COMMENT = /^ngatu case export 1\nsigner: ([A-Za-z0-9+/]{4,5460}={0,2})\nsignature: ([0-9a-f]{128})$/;
/** The longest comment of ZIP. */
const COMMENT_MAX_BYTES = 0xffff;
/** Larger files are refused: who verifies holds them in memory. */
export const EXPORT_MAX_BYTES = 1024 * 1024 * 1024;

/** An incremental SHA-256, so that whoever has a faster one can bring it. */
export interface Sha256Stream {
  update(bytes: Uint8Array): unknown;
  digest(): Uint8Array;
}

/** Writes an export piece by piece: `add` every entry, then `finish`; what they return, one after the other, is the file. */
export class ExportWriter {
  readonly #zip: StoredZipWriter;
  readonly #key: SealKey;
  readonly #hash: Sha256Stream;
  #sizeBytes = 0;

  constructor(options: { readonly atMs: number; readonly key: SealKey; readonly hash?: Sha256Stream }) {
    this.#zip = new StoredZipWriter(toZipStamp(options.atMs));
    this.#key = options.key;
    this.#hash = options.hash ?? sha256.create();
  }

  /** @throws NgatuError EXPORT_INVALID where it grows beyond what anybody could verify */
  add(entry: ZipEntry): Uint8Array[] {
    return this.#zip.add(entry).map((part) => this.#count(part));
  }

  finish(): Uint8Array[] {
    const unsigned = buildComment(this.#key.certificate, '');
    const whole = this.#zip.finish(unsigned + '0'.repeat(SIGNATURE_LENGTH));
    const signed = this.#count(whole.subarray(0, -SIGNATURE_LENGTH));
    return [signed, utf8ToBytes(sign('case-export', this.#hash.digest(), this.#key))];
  }

  #count(part: Uint8Array): Uint8Array {
    this.#sizeBytes += part.length;
    if (this.#sizeBytes > EXPORT_MAX_BYTES - COMMENT_MAX_BYTES)
      throw new NgatuError('EXPORT_INVALID', `Cannot export more than ${EXPORT_MAX_BYTES} bytes in one file`);
    this.#hash.update(part);
    return part;
  }
}

/** A file that calls itself an export; nothing of it is proved before `isContainerSignedBy`. */
export interface ExportContainer {
  /** DER in base64. */
  readonly certificate: string;
  readonly signature: string;
  readonly comment: string;
  /** Everything that is signed. A view of the file. */
  readonly signed: Uint8Array;
}

/** Finds signer and signature at the end of the file. @throws NgatuError EXPORT_INVALID */
export function readExportContainer(bytes: Uint8Array): ExportContainer {
  if (bytes.length > EXPORT_MAX_BYTES) throw refuse(`it has more than ${EXPORT_MAX_BYTES} bytes`);
  const tail = String.fromCharCode(...bytes.subarray(-6_000));
  const comment = tail.slice(tail.lastIndexOf(TITLE));
  const [, certificate, signature] = COMMENT.exec(comment) ?? [];
  if (certificate === undefined || signature === undefined) throw refuse('it does not end in a signature');
  return { certificate, signature, comment, signed: bytes.subarray(0, -SIGNATURE_LENGTH) };
}

/** True where the holder of the key signed exactly these bytes. */
export async function isContainerSignedBy(
  { signed, signature }: ExportContainer,
  publicKey: Uint8Array,
): Promise<boolean> {
  const digest = await computeLargeSha256(signed);
  return isSignedBy(publicKey, 'case-export', { message: digest, signature });
}

/** @throws NgatuError EXPORT_INVALID */
export function readExportEntries(bytes: Uint8Array, { comment }: ExportContainer): Map<string, Uint8Array> {
  return new Map(readStoredZip(bytes, comment).map((entry) => [entry.path, entry.bytes]));
}

/** SHA-256 by the machine's own code where it has one (Node, and browsers on https, localhost and files). */
export async function computeLargeSha256(bytes: Uint8Array): Promise<Uint8Array> {
  const { subtle } = globalThis.crypto as { subtle?: typeof globalThis.crypto.subtle };
  if (subtle === undefined) return sha256(bytes);
  return new Uint8Array(await subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
}

/** SHA-256, 64 hexadecimal digits. */
export async function computeLargeSha256Hex(bytes: Uint8Array): Promise<string> {
  return bytesToHex(await computeLargeSha256(bytes));
}

function buildComment(certificate: string, signature: string): string {
  return `${TITLE}\nsigner: ${certificate}\nsignature: ${signature}`;
}

function refuse(reason: string): NgatuError {
  return new NgatuError('EXPORT_INVALID', `Cannot read the export: ${reason}`);
}
