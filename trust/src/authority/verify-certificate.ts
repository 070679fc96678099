import { errorMessage, NgatuError } from '@ngatu/contract';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { X509Certificate, X509Crl } from '@peculiar/x509';
import { type CertificateFacts, describeCertificate, parseCertificate, splitPem } from './certificate.ts';
import type { CertificateUse } from './certificate-holder.ts';
import { loadX509 } from './x509-library.ts';

export interface VerifyCertificateOptions {
  /** The instant at which the certificate must have been valid, and not yet revoked, ms since 1970. */
  readonly atMs: number;
  /** Where validity is judged at another instant than revocation: when the holder says that it signed. */
  readonly signedAtMs?: number;
  /** Revocation list(s) of the authority, PEM. Without it nobody is revoked. */
  readonly crl?: string | RevocationLists;
  /** What the certificate must be for; without it any use will do. */
  readonly use?: CertificateUse;
}

export const CRL_NUMBER_OID = '2.5.29.20';
/** Authorities side by side while one replaces another; more is not a file of ours. */
const AUTHORITIES_MAX = 8;

/** The authorities of a PEM text: read when they are first asked for, and once, by whoever verifies many certificates. */
export class Authorities {
  readonly #pem: string;
  #read: Promise<readonly X509Certificate[]> | undefined;

  constructor(pem: string) {
    this.#pem = pem;
  }

  /** @throws NgatuError AUTHORITY_INVALID, CERTIFICATE_INVALID */
  read(): Promise<readonly X509Certificate[]> {
    this.#read ??= readAuthorities(this.#pem);
    return this.#read;
  }
}

/** The revocation lists of a PEM text: read once for each authority. */
export class RevocationLists {
  readonly #pem: string;
  readonly #byIssuer = new WeakMap<X509Certificate, Promise<X509Crl>>();

  constructor(pem: string) {
    this.#pem = pem;
  }

  /** The newest list that `issuer` signed. @throws NgatuError REVOCATION_LIST_INVALID */
  readNewest(issuer: X509Certificate): Promise<X509Crl> {
    const known = this.#byIssuer.get(issuer);
    if (known !== undefined) return known;
    const list = readRevocationList(this.#pem, issuer);
    this.#byIssuer.set(issuer, list);
    return list;
  }
}

/**
 * Proves that `pem` was issued by (one of) the authorities in `ca` (PEM, or read already), directly, for one of our holders, and that it was valid and
 * not revoked at `atMs`. A revocation counts from its own date on: what was signed before that stays good, so `atMs` must come
 * from a clock that the holder of the key cannot turn (the ingestor's receipt). Works in a browser.
 * @throws NgatuError CERTIFICATE_INVALID, CERTIFICATE_FOREIGN, CERTIFICATE_EXPIRED, CERTIFICATE_REVOKED, AUTHORITY_INVALID,
 *   REVOCATION_LIST_INVALID
 */
export async function verifyCertificate(
  pem: string,
  ca: string | Authorities,
  { atMs, signedAtMs = atMs, crl, use }: VerifyCertificateOptions,
): Promise<CertificateFacts> {
  const certificate = await parseCertificate(pem);
  const authorities = await (typeof ca === 'string' ? new Authorities(ca) : ca).read();
  const what = `certificate "${certificate.subject}"`;
  const issuer = await findIssuer(certificate, authorities);
  if (issuer === undefined) {
    throw new NgatuError(
      'CERTIFICATE_FOREIGN',
      `Cannot accept ${what}: "${certificate.issuer}" that issued it is not the authority here`,
    );
  }
  const facts = await describeCertificate(certificate);
  const x509 = await loadX509();
  if (certificate.getExtension(x509.BasicConstraintsExtension)?.ca === true)
    throw new NgatuError('CERTIFICATE_INVALID', `Cannot accept ${what}: it is that of an authority`);
  if (use !== undefined && !facts.uses.includes(use))
    throw new NgatuError('CERTIFICATE_INVALID', `Cannot accept ${what}: it is not for the use "${use}"`);
  checkTime(what, facts, signedAtMs);
  checkTime(
    `the authority "${issuer.subject}"`,
    { notBeforeMs: issuer.notBefore.getTime(), notAfterMs: issuer.notAfter.getTime() },
    signedAtMs,
  );
  if (crl !== undefined) await checkRevocation({ what, facts, issuer, crl, atMs });
  return facts;
}

function checkTime(
  what: string,
  { notBeforeMs, notAfterMs }: { notBeforeMs: number; notAfterMs: number },
  atMs: number,
): void {
  if (atMs >= notBeforeMs && atMs <= notAfterMs) return;
  const [from, to, at] = [notBeforeMs, notAfterMs, atMs].map((ms) => new Date(ms).toISOString());
  throw new NgatuError(
    'CERTIFICATE_EXPIRED',
    `Cannot accept ${what}: it is valid from ${from} to ${to}, and this is ${at}`,
  );
}

/** @throws NgatuError AUTHORITY_INVALID */
async function readAuthorities(caPem: string): Promise<X509Certificate[]> {
  const blocks = splitPem(caPem, 'CERTIFICATE');
  if (blocks.length === 0 || blocks.length > AUTHORITIES_MAX)
    throw new NgatuError('AUTHORITY_INVALID', `Cannot read authorities: ${blocks.length} certificates`);
  const x509 = await loadX509();
  const authorities = await Promise.all(blocks.map(parseCertificate));
  for (const authority of authorities) {
    const mayCertify = authority.getExtension(x509.BasicConstraintsExtension)?.ca === true;
    const isOwn = await isSignedBy(authority, authority);
    if (!mayCertify || !isOwn)
      throw new NgatuError('AUTHORITY_INVALID', `Cannot trust "${authority.subject}": it is no authority`);
  }
  return authorities;
}

async function findIssuer(
  certificate: X509Certificate,
  authorities: readonly X509Certificate[],
): Promise<X509Certificate | undefined> {
  for (const authority of authorities) {
    if (await isSignedBy(certificate, authority)) return authority;
  }
  return undefined;
}

type ImportedKey = ReturnType<X509Certificate['publicKey']['export']>;

/** Keys of authorities that were used: importing one takes longer than checking a signature with it. */
const importedKeys = new WeakMap<X509Certificate, ImportedKey>();

function importKeyOf(authority: X509Certificate): ImportedKey {
  const known = importedKeys.get(authority);
  if (known !== undefined) return known;
  const key = authority.publicKey.export();
  importedKeys.set(authority, key);
  return key;
}

/** A key or signature of another kind than the authority's is not its signature. */
async function isSignedBy(certificate: X509Certificate, authority: X509Certificate): Promise<boolean> {
  if (certificate.issuer !== authority.subject) return false;
  try {
    return await certificate.verify({ publicKey: await importKeyOf(authority), signatureOnly: true });
  } catch {
    return false;
  }
}

async function checkRevocation(parts: {
  readonly what: string;
  readonly facts: CertificateFacts;
  readonly issuer: X509Certificate;
  readonly crl: string | RevocationLists;
  readonly atMs: number;
}): Promise<void> {
  const { what, facts, issuer, crl, atMs } = parts;
  const list = await (typeof crl === 'string' ? new RevocationLists(crl) : crl).readNewest(issuer);
  const entry = list.findRevoked(facts.serialNumber);
  if (entry === null || entry.revocationDate.getTime() > atMs) return;
  throw new NgatuError(
    'CERTIFICATE_REVOKED',
    `Cannot accept ${what}: it was revoked on ${entry.revocationDate.toISOString()}`,
  );
}

/** The newest of the lists in `crlPem` that `issuer` signed. */
async function readRevocationList(crlPem: string, issuer: X509Certificate): Promise<X509Crl> {
  const x509 = await loadX509();
  const own: X509Crl[] = [];
  for (const block of splitPem(crlPem, 'X509 CRL')) {
    try {
      const list = new x509.X509Crl(block);
      if (list.issuer === issuer.subject && (await list.verify({ publicKey: issuer.publicKey })))
        own.push(list);
    } catch (error) {
      throw new NgatuError('REVOCATION_LIST_INVALID', `Cannot read revocation list: ${errorMessage(error)}`, {
        cause: error,
      });
    }
  }
  const [newest] = own.sort((a, b) => (readNumber(b) > readNumber(a) ? 1 : -1));
  if (newest !== undefined) return newest;
  throw new NgatuError(
    'REVOCATION_LIST_INVALID',
    `Cannot use revocation list: none in it was signed by "${issuer.subject}"`,
  );
}

/**
 * The lists of `fresh`, and of `known` those of other authorities: whoever trusts two while one replaces the other needs a list of each.
 * @throws NgatuError REVOCATION_LIST_INVALID
 */
export async function mergeRevocationLists(known: string, fresh: string): Promise<string> {
  const blocks = splitPem(fresh, 'X509 CRL');
  const issuers = new Set(await Promise.all(blocks.map(readIssuer)));
  for (const block of splitPem(known, 'X509 CRL'))
    if (!issuers.has(await readIssuer(block))) blocks.push(block);
  return `${blocks.join('\n')}\n`;
}

async function readIssuer(block: string): Promise<string> {
  const x509 = await loadX509();
  try {
    return new x509.X509Crl(block).issuer;
  } catch (error) {
    throw new NgatuError('REVOCATION_LIST_INVALID', `Cannot read revocation list: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

/** CRL number, RFC 5280 section 5.2.3: an INTEGER that grows with each list. */
function readNumber(list: X509Crl): bigint {
  const value = list.getExtension(CRL_NUMBER_OID)?.value;
  // Its DER is 02, a length under 128, and the bytes.
  const digits = value === undefined ? '' : bytesToHex(new Uint8Array(value)).slice(4);
  return digits === '' ? 0n : BigInt(`0x${digits}`);
}
