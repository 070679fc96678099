import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { encodeCanonicalJson } from './canonical-json.ts';

/** SHA-256, 64 lower-case hexadecimal digits. */
export function computeSha256(bytes: Uint8Array): string {
  return bytesToHex(sha256(bytes));
}

/** SHA-256 of the RFC 8785 form. @throws NgatuError MESSAGE_INVALID */
export function computeJsonSha256(value: unknown): string {
  return computeSha256(encodeCanonicalJson(value));
}
