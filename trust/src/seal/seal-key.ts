import { NgatuError } from '@ngatu/contract';
import { ed25519 } from '@noble/curves/ed25519.js';
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';

/** The Ed25519 key of a node or of the centre with its certificate. */
export interface SealKey {
  /** 32 bytes. */
  readonly secretKey: Uint8Array;
  /** DER in base64. */
  readonly certificate: string;
}

/** What a signature is made for: one that was made for another thing never passes for this one. */
export type SealPurpose = 'evidence-manifest' | 'evidence-receipt' | 'case-export';

/** RFC 8410 section 7: PKCS #8 of an Ed25519 key is this and 32 bytes. */
const PKCS8_PREFIX = '302e020100300506032b657004220420';
const PKCS8_BYTES = 48;

/**
 * Reads key and certificate as an identity folder holds them.
 * @throws NgatuError CERTIFICATE_INVALID
 */
export function readSealKey({ keyPem, certificatePem }: { keyPem: string; certificatePem: string }): SealKey {
  const der = decodePem(keyPem, 'PRIVATE KEY');
  if (der.length !== PKCS8_BYTES || bytesToHex(der.slice(0, 16)) !== PKCS8_PREFIX)
    throw new NgatuError('CERTIFICATE_INVALID', 'Cannot use a seal key: it is not PKCS #8 of an Ed25519 key');
  return { secretKey: der.slice(16), certificate: encodeBase64(decodePem(certificatePem, 'CERTIFICATE')) };
}

/** Ed25519 over `ngatu/{purpose}/1`, a zero byte and the message. */
export function sign(purpose: SealPurpose, message: Uint8Array, { secretKey }: SealKey): string {
  return bytesToHex(ed25519.sign(frame(purpose, message), secretKey));
}

/** Strict: a signature has exactly one form that passes (RFC 8032, not ZIP 215). Never throws. */
export function isSignedBy(
  publicKey: Uint8Array,
  purpose: SealPurpose,
  { message, signature }: { message: Uint8Array; signature: string },
): boolean {
  try {
    return ed25519.verify(hexToBytes(signature), frame(purpose, message), publicKey, { zip215: false });
  } catch {
    // a key or signature that is none of the curve's
    return false;
  }
}

/** A certificate of a seal as the text that `verifyCertificate` reads. */
export function toCertificatePem(certificate: string): string {
  const lines = certificate.match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function frame(purpose: SealPurpose, message: Uint8Array): Uint8Array {
  return concatBytes(utf8ToBytes(`ngatu/${purpose}/1\0`), message);
}

function decodePem(pem: string, label: string): Uint8Array {
  const found = new RegExp(`-----BEGIN ${label}-----([A-Za-z0-9+/=\\s]{1,8192})-----END ${label}-----`).exec(
    pem,
  );
  if (found?.[1] === undefined)
    throw new NgatuError(
      'CERTIFICATE_INVALID',
      `Cannot read a ${label.toLowerCase()}: there is no such PEM block`,
    );
  return decodeBase64(found[1].replaceAll(/\s/g, ''));
}

function decodeBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch (cause) {
    throw new NgatuError('CERTIFICATE_INVALID', 'Cannot read a PEM block: it is not base64', { cause });
  }
}

function encodeBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}
