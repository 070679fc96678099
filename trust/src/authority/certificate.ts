import { errorMessage, NgatuError } from '@ngatu/contract';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { X509Certificate } from '@peculiar/x509';
import {
  buildCommonName,
  type CertificateHolder,
  type CertificateUse,
  parseHolderUri,
  USE_OIDS,
} from './certificate-holder.ts';
import { hasStrictFrame } from './der-frame.ts';
import { loadX509 } from './x509-library.ts';

/** What a certificate says; nothing of it is proved before `verifyCertificate`. */
export interface CertificateFacts {
  readonly holder: CertificateHolder;
  readonly uses: readonly CertificateUse[];
  /** DNS names and addresses of a server. */
  readonly hosts: readonly string[];
  /** Lower-case hexadecimal. */
  readonly serialNumber: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** SHA-256 of the DER, 64 hexadecimal digits. */
  readonly sha256: string;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKeySpki: Uint8Array;
  /** The 32 raw bytes where the key is Ed25519. */
  readonly ed25519PublicKey?: Uint8Array;
}

/** A text of a certificate is under 2 KB; whatever is far larger is none. */
const PEM_MAX_LENGTH = 64 * 1024;
/** RFC 8410 section 4: the SPKI of Ed25519 is this and 32 bytes. */
const ED25519_SPKI_PREFIX = '302a300506032b6570032100';

/**
 * Reads one certificate of ours without judging it. Works in a browser.
 * @throws NgatuError CERTIFICATE_INVALID
 */
export async function readCertificate(pem: string): Promise<CertificateFacts> {
  return describeCertificate(await parseCertificate(pem));
}

/** @throws NgatuError CERTIFICATE_INVALID */
export async function parseCertificate(pem: string): Promise<X509Certificate> {
  const x509 = await loadX509();
  const blocks = splitPem(pem, 'CERTIFICATE');
  const [block] = blocks;
  if (block === undefined || blocks.length > 1 || pem.length > PEM_MAX_LENGTH)
    throw new NgatuError(
      'CERTIFICATE_INVALID',
      `Cannot read a certificate: the text holds ${blocks.length} PEM blocks`,
    );
  try {
    const certificate = new x509.X509Certificate(block);
    // they are read when they are asked for: what is wrong with them is said here
    void certificate.extensions;
    if (hasStrictFrame(new Uint8Array(certificate.rawData))) return certificate;
  } catch (error) {
    throw new NgatuError('CERTIFICATE_INVALID', `Cannot read a certificate: ${errorMessage(error)}`, {
      cause: error,
    });
  }
  throw new NgatuError('CERTIFICATE_INVALID', 'Cannot read a certificate: it is not signed as ours are');
}

/** The PEM blocks of one kind in a text, in their order. */
export function splitPem(text: string, label: 'CERTIFICATE' | 'CERTIFICATE REQUEST' | 'X509 CRL'): string[] {
  const pattern = new RegExp(`-----BEGIN ${label}-----[A-Za-z0-9+/=\\s]+-----END ${label}-----`, 'g');
  return text.match(pattern) ?? [];
}

/** @throws NgatuError CERTIFICATE_INVALID */
export async function describeCertificate(certificate: X509Certificate): Promise<CertificateFacts> {
  const x509 = await loadX509();
  try {
    const names = certificate.getExtension(x509.SubjectAlternativeNameExtension)?.names.items ?? [];
    const uris = names.filter(({ type }) => type === 'url');
    const [uri] = uris;
    const holder = uri === undefined || uris.length > 1 ? undefined : parseHolderUri(uri.value);
    const [commonName, ...others] = certificate.subjectName.getField('CN');
    if (holder === undefined || others.length > 0 || commonName !== buildCommonName(holder))
      throw new NgatuError(
        'CERTIFICATE_INVALID',
        `Cannot use certificate "${certificate.subject}": it names no node, centre or broker of ngatu`,
      );
    const usages = certificate.getExtension(x509.ExtendedKeyUsageExtension)?.usages.map(String) ?? [];
    const publicKeySpki = new Uint8Array(certificate.publicKey.rawData);
    const isEd25519 = bytesToHex(publicKeySpki).startsWith(ED25519_SPKI_PREFIX);
    return {
      holder,
      uses: (['client', 'server', 'seal'] as const).filter((use) => usages.includes(USE_OIDS[use])),
      hosts: names.filter(({ type }) => type === 'dns' || type === 'ip').map(({ value }) => value),
      serialNumber: certificate.serialNumber.toLowerCase(),
      notBeforeMs: certificate.notBefore.getTime(),
      notAfterMs: certificate.notAfter.getTime(),
      sha256: bytesToHex(sha256(new Uint8Array(certificate.rawData))),
      publicKeySpki,
      ...(isEd25519 ? { ed25519PublicKey: publicKeySpki.slice(-32) } : {}),
    };
  } catch (error) {
    if (error instanceof NgatuError) throw error;
    throw new NgatuError('CERTIFICATE_INVALID', `Cannot read a certificate: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}
