import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { NgatuError } from '@ngatu/contract';
import type { CertificateFacts } from './certificate.ts';
import { buildHolderUri, type CertificateHolder } from './certificate-holder.ts';
import { readNodeCertificate } from './node-certificate.ts';
import { movePrivateFile, readFileIfThere, writePrivateFile } from './private-file.ts';

/** The two pairs of an identity: one for connections (ECDSA P-256), one for seals (Ed25519). */
export const PAIR_NAMES = ['tls', 'seal'] as const;
export type PairName = (typeof PAIR_NAMES)[number];

/** A private key with the certificate of its public key. */
export interface CertifiedKey {
  /** Not text, so that it cannot slip into a log. */
  readonly privateKey: KeyObject;
  readonly certificatePem: string;
  readonly facts: CertificateFacts;
}

/** What a folder of an identity holds. */
export interface Identity {
  readonly dir: string;
  readonly holder: CertificateHolder;
  readonly tls: CertifiedKey;
  /** A broker has none: it seals nothing. */
  readonly seal?: CertifiedKey;
  /** The authority (or authorities, while one replaces another), PEM. */
  readonly caPem: string;
  /** Revocation list, PEM, where the holder has one. */
  readonly crlPem?: string;
}

/**
 * Reads an identity: keys that only their owner can read, each with its certificate, all of one holder. Does not judge validity:
 * `verifyCertificate` does.
 * @throws NgatuError IDENTITY_INVALID with what is wrong, CERTIFICATE_INVALID, PERMISSION_DENIED
 */
export function loadIdentity(dir: string): Identity {
  const caPem = readFileIfThere(join(dir, 'ca.crt'));
  const tls = loadPair(dir, 'tls');
  const seal = loadPair(dir, 'seal');
  if (caPem === undefined || tls === undefined) {
    const missing = caPem === undefined ? 'ca.crt' : 'tls.key with tls.crt';
    throw new NgatuError('IDENTITY_INVALID', `Cannot use the identity in ${dir}: ${missing} is not there`);
  }
  const { holder } = tls.facts;
  const uri = buildHolderUri(holder);
  if (seal !== undefined && buildHolderUri(seal.facts.holder) !== uri)
    throw new NgatuError(
      'IDENTITY_INVALID',
      `Cannot use the identity in ${dir}: tls.crt is of ${uri}, seal.crt of another`,
    );
  const crlPem = readFileIfThere(join(dir, 'crl.pem'));
  return {
    ...{ dir, holder, tls, caPem },
    ...(seal === undefined ? {} : { seal }),
    ...(crlPem === undefined ? {} : { crlPem }),
  };
}

function loadPair(dir: string, name: PairName): CertifiedKey | undefined {
  const keyFile = join(dir, `${name}.key`);
  const keyPem = readFileIfThere(keyFile);
  if (keyPem === undefined) return undefined;
  checkPrivate(keyFile);
  const privateKey = readPrivateKey(keyPem, keyFile);
  // While a pair is being replaced, the new key may stand beside the old certificate for a moment, or after a power cut.
  for (const file of [`${name}.crt`, `${name}.crt.next`]) {
    const certificatePem = readFileIfThere(join(dir, file));
    if (certificatePem === undefined || !isPair(privateKey, certificatePem)) continue;
    return { privateKey, certificatePem, facts: readNodeCertificate(certificatePem) };
  }
  throw new NgatuError(
    'IDENTITY_INVALID',
    `Cannot use the identity in ${dir}: ${name}.crt is not there, damaged, or not of the key ${name}.key`,
  );
}

function checkPrivate(file: string): void {
  const mode = statSync(file).mode & 0o077;
  if (mode === 0) return;
  throw new NgatuError(
    'IDENTITY_INVALID',
    `Cannot use the private key ${file}: others than its owner can read or write it; "chmod 600" it, and rotate it if anybody may have`,
  );
}

function readPrivateKey(pem: string, file: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    throw new NgatuError('IDENTITY_INVALID', `Cannot read the private key ${file}: it is damaged`, {
      cause: error,
    });
  }
}

function isPair(privateKey: KeyObject, certificatePem: string): boolean {
  try {
    return new X509Certificate(certificatePem).checkPrivateKey(privateKey);
  } catch {
    return false;
  }
}

/** The key as TLS wants it. */
export function exportPrivateKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/**
 * Puts a new pair in the place of the old one, so that whoever reads in between, or after a power cut in between, finds one that
 * fits together.
 * @throws NgatuError PERMISSION_DENIED, DISK_FULL
 */
export function replacePair(
  dir: string,
  name: PairName,
  pair: { keyFile: string; certificatePem: string },
): void {
  settlePair(dir, name);
  writePrivateFile(join(dir, `${name}.crt.next`), pair.certificatePem);
  movePrivateFile(pair.keyFile, join(dir, `${name}.key`));
  movePrivateFile(join(dir, `${name}.crt.next`), join(dir, `${name}.crt`));
}

/**
 * Ends a replacement that a power cut left half done: a new certificate whose key has arrived takes its place. For those who
 * read the files themselves, as a broker does.
 * @throws NgatuError PERMISSION_DENIED, IDENTITY_INVALID
 */
export function settlePair(dir: string, name: PairName): void {
  const next = join(dir, `${name}.crt.next`);
  const nextPem = readFileIfThere(next);
  const keyPem = readFileIfThere(join(dir, `${name}.key`));
  if (nextPem === undefined || keyPem === undefined) return;
  if (isPair(readPrivateKey(keyPem, join(dir, `${name}.key`)), nextPem))
    movePrivateFile(next, join(dir, `${name}.crt`));
}
