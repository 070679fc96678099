import {
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  type webcrypto,
} from 'node:crypto';
import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { errorMessage, NgatuError } from '@ngatu/contract';
import {
  AuthorityLedger,
  type IssuedEntry,
  type RevocationReason,
  type RevokedEntry,
} from './authority-ledger.ts';
import { splitPem } from './certificate.ts';
import { buildHolderUri, type CertificateHolder } from './certificate-holder.ts';
import { makePrivateFolder, readFileIfThere, writePrivateFile } from './private-file.ts';
import { CRL_NUMBER_OID } from './verify-certificate.ts';
import { loadX509 } from './x509-library.ts';

const DAY_MS = 86_400_000;
/** Clocks of nodes may be behind: what is issued now is valid since a day. The ledger keeps the true time. */
export const BACKDATED_MS = DAY_MS;
const AUTHORITY_DAYS = 3_650;
const PASSPHRASE_MIN_LENGTH = 12;
/** RFC 7468 section 6; the library writes another word, which OpenSSL does not read. */
const CRL_LABEL = 'X509 CRL';
const ECDSA_P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

export interface AuthorityOptions {
  /** Opens the key where it is kept encrypted. */
  readonly passphrase?: string;
  readonly clock?: { nowMs(): number };
}

/** The province's own certificate authority: a folder that only its owner can read. */
export interface Authority {
  readonly dir: string;
  /** Its certificate, PEM. */
  readonly caPem: string;
  readonly ledger: AuthorityLedger;
  readonly clock: { nowMs(): number };
  /** Signs certificates and revocation lists. Cannot be exported. */
  readonly signingKey: webcrypto.CryptoKey;
}

const FILES = { key: 'ca.key', certificate: 'ca.crt', crl: 'crl.pem', ledger: 'ledger.jsonl' } as const;

/** Where the authority keeps its revocation list; whoever relies on it has a copy. */
export function buildCrlPath(dir: string): string {
  return join(dir, FILES.crl);
}

/** True where `createAuthority` has finished in this folder. */
export function isAuthorityFolder(dir: string): boolean {
  return existsSync(join(dir, FILES.crl));
}

/**
 * Begins an authority in `dir`: key (ECDSA P-256; encrypted where a passphrase is given), certificate of ten years, ledger, empty
 * revocation list. `name` is shown wherever somebody looks at a certificate.
 * @throws NgatuError AUTHORITY_INVALID where there is one already, or the passphrase is short; PERMISSION_DENIED, DISK_FULL
 */
export async function createAuthority(
  dir: string,
  { name, passphrase, clock = { nowMs: Date.now } }: AuthorityOptions & { readonly name: string },
): Promise<Authority> {
  if (isAuthorityFolder(dir))
    throw new NgatuError('AUTHORITY_INVALID', `Cannot begin an authority in ${dir}: there is one already`);
  if (!/^[\p{L}\p{N} .,_-]{1,60}$/u.test(name))
    throw new NgatuError('AUTHORITY_INVALID', `Cannot begin an authority named ${JSON.stringify(name)}`);
  if (passphrase !== undefined && passphrase.length < PASSPHRASE_MIN_LENGTH) {
    const reason = `its passphrase has fewer than ${PASSPHRASE_MIN_LENGTH} characters`;
    throw new NgatuError('AUTHORITY_INVALID', `Cannot begin an authority: ${reason}`);
  }
  makePrivateFolder(dir);
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signingKey = await importSigningKey(privateKey);
  const caPem = await signAuthority(name, publicKey, signingKey, clock.nowMs());
  const ledger = AuthorityLedger.open(join(dir, FILES.ledger), userInfo().username);
  // A beginning that was cut short leaves no list: it is made anew from the first file on.
  const encryption = passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase };
  writePrivateFile(
    join(dir, FILES.key),
    privateKey.export({ type: 'pkcs8', format: 'pem', ...encryption }).toString(),
  );
  writePrivateFile(join(dir, FILES.certificate), caPem);
  const x509 = await loadX509();
  const thumbprint = await new x509.X509Certificate(caPem).getThumbprint('SHA-256');
  const sha256 = Buffer.from(thumbprint).toString('hex');
  ledger.append({ action: 'begun', at: new Date(clock.nowMs()).toISOString(), name, sha256 });
  const authority = { dir, caPem, ledger, clock, signingKey };
  await publishRevocationList(authority);
  return authority;
}

/** @throws NgatuError AUTHORITY_INVALID (also for a wrong passphrase), PERMISSION_DENIED */
export async function openAuthority(
  dir: string,
  { passphrase, clock = { nowMs: Date.now } }: AuthorityOptions = {},
): Promise<Authority> {
  const keyPem = readFileIfThere(join(dir, FILES.key));
  const caPem = readFileIfThere(join(dir, FILES.certificate));
  if (keyPem === undefined || caPem === undefined || !isAuthorityFolder(dir)) {
    throw new NgatuError(
      'AUTHORITY_INVALID',
      `Cannot open the authority in ${dir}: ${FILES.key}, ${FILES.certificate} or ${FILES.crl} is not there; "ngatu ca init" begins one`,
    );
  }
  const isEncrypted = keyPem.includes('ENCRYPTED');
  if (isEncrypted && passphrase === undefined)
    throw new NgatuError('AUTHORITY_INVALID', `Cannot open the key of ${dir}: it needs its passphrase`);
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: keyPem, ...(passphrase === undefined ? {} : { passphrase }) });
  } catch (error) {
    const reason = isEncrypted ? 'the passphrase is wrong, or the file is damaged' : 'the file is damaged';
    throw new NgatuError('AUTHORITY_INVALID', `Cannot open the key of ${dir}: ${reason}`, { cause: error });
  }
  const ledger = AuthorityLedger.open(join(dir, FILES.ledger), userInfo().username);
  const authority = { dir, caPem, ledger, clock, signingKey: await importSigningKey(key) };
  // A revocation counts from its line in the ledger on: a list that was not written any more is written now.
  const x509 = await loadX509();
  const [block = ''] = splitPem(loadRevocationList(dir), 'X509 CRL');
  if (new x509.X509Crl(block).entries.length !== ledger.listRevoked().length)
    await publishRevocationList(authority);
  return authority;
}

/** What the authority in `dir` has issued, without its key. @throws NgatuError AUTHORITY_INVALID, PERMISSION_DENIED */
export function loadIssued(dir: string): IssuedCertificate[] {
  if (!isAuthorityFolder(dir))
    throw new NgatuError('AUTHORITY_INVALID', `Cannot read the ledger of ${dir}: there is no authority`);
  return listIssued({ ledger: AuthorityLedger.open(join(dir, FILES.ledger), userInfo().username) });
}

async function importSigningKey(key: KeyObject): Promise<webcrypto.CryptoKey> {
  try {
    const der = key.export({ type: 'pkcs8', format: 'der' });
    return await crypto.subtle.importKey('pkcs8', new Uint8Array(der), ECDSA_P256, false, ['sign']);
  } catch (error) {
    throw new NgatuError('AUTHORITY_INVALID', `Cannot use the authority's key: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

async function signAuthority(
  name: string,
  publicKey: KeyObject,
  signingKey: webcrypto.CryptoKey,
  nowMs: number,
): Promise<string> {
  const x509 = await loadX509();
  const subject = [{ O: ['ngatu'] }, { CN: [name] }, { '2.5.4.5': [randomBytes(4).toString('hex')] }];
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: createSerialNumber(),
    subject,
    issuer: subject,
    notBefore: new Date(nowMs - BACKDATED_MS),
    notAfter: new Date(nowMs + AUTHORITY_DAYS * DAY_MS),
    publicKey: new Uint8Array(spki),
    signingKey,
    signingAlgorithm: ECDSA_P256,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(new x509.PublicKey(new Uint8Array(spki))),
    ],
  });
  return `${certificate.toString('pem')}\n`;
}

/** 126 random bits; the first byte is neither zero nor negative, so that every program writes it alike. */
export function createSerialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

/** One certificate that was issued, and what became of it. */
export interface IssuedCertificate extends IssuedEntry {
  readonly revoked?: Pick<RevokedEntry, 'at' | 'reason'>;
}

/** All that was ever issued, in that order. */
export function listIssued({ ledger }: Pick<Authority, 'ledger'>): IssuedCertificate[] {
  const revoked = new Map(ledger.listRevoked().map((entry) => [entry.serialNumber, entry]));
  return ledger.listIssued().map((entry) => {
    const end = revoked.get(entry.serialNumber);
    return end === undefined ? entry : { ...entry, revoked: { at: end.at, reason: end.reason } };
  });
}

/** Which certificates: all of a holder, or those of these serial numbers. */
export type RevocationTarget =
  | { readonly holder: CertificateHolder }
  | { readonly serialNumbers: readonly string[] };

/**
 * Revokes, from now on, in the ledger and in the authority's list; those who rely on it need the new list. Certificates of a holder
 * that have expired are revoked as well: what they sealed is judged by when they were revoked. Returns what was revoked now.
 * @throws NgatuError AUTHORITY_INVALID where there is nothing to revoke; PERMISSION_DENIED, DISK_FULL
 */
export async function revoke(
  authority: Authority,
  target: RevocationTarget,
  reason: RevocationReason = 'keyCompromise',
): Promise<IssuedCertificate[]> {
  const matches = (entry: IssuedCertificate): boolean =>
    'holder' in target
      ? entry.holder === buildHolderUri(target.holder)
      : target.serialNumbers.includes(entry.serialNumber);
  const found = listIssued(authority).filter((entry) => matches(entry) && entry.revoked === undefined);
  if (found.length === 0) {
    const what = 'holder' in target ? buildHolderUri(target.holder) : target.serialNumbers.join(', ');
    throw new NgatuError(
      'AUTHORITY_INVALID',
      `Cannot revoke ${what}: the authority issued nothing of it that is not revoked already`,
    );
  }
  const at = new Date(authority.clock.nowMs()).toISOString();
  for (const { serialNumber } of found)
    authority.ledger.append({ action: 'revoked', at, serialNumber, reason });
  await publishRevocationList(authority);
  return found.map((entry) => ({ ...entry, revoked: { at, reason } }));
}

/**
 * Signs the list of all that is revoked anew and writes it to the authority's folder. It is valid as long as the authority: a list
 * that ended by itself would shut out every node of the province on a day on which nobody looks.
 * @throws NgatuError PERMISSION_DENIED, DISK_FULL
 */
export async function publishRevocationList(authority: Authority): Promise<string> {
  const { dir, caPem, ledger, clock, signingKey } = authority;
  const x509 = await loadX509();
  const ca = new x509.X509Certificate(caPem);
  const revoked = ledger.listRevoked();
  const list = await x509.X509CrlGenerator.create({
    issuer: ca.subjectName,
    thisUpdate: new Date(clock.nowMs() - BACKDATED_MS),
    nextUpdate: ca.notAfter,
    signingKey,
    signingAlgorithm: ECDSA_P256,
    extensions: [
      await x509.AuthorityKeyIdentifierExtension.create(ca.publicKey),
      // It grows with every revocation: lists are told apart by it.
      new x509.Extension(CRL_NUMBER_OID, false, encodeInteger(revoked.length + 1)),
    ],
    entries: revoked.map(({ serialNumber, at, reason }) => ({
      serialNumber,
      revocationDate: new Date(at),
      reason: x509.X509CrlReason[reason],
    })),
  });
  const pem = `${x509.PemConverter.encode(list.rawData, CRL_LABEL)}\n`;
  writePrivateFile(join(dir, FILES.crl), pem);
  return pem;
}

/** DER of a positive INTEGER. */
function encodeInteger(value: number): Uint8Array<ArrayBuffer> {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  const sign = (bytes[0] ?? 0) >= 0x80 ? [0] : [];
  return Uint8Array.from([0x02, bytes.length + sign.length, ...sign, ...bytes]);
}

/** The revocation list as it stands in the folder of an authority. @throws NgatuError AUTHORITY_INVALID, PERMISSION_DENIED */
export function loadRevocationList(dir: string): string {
  const text = readFileIfThere(buildCrlPath(dir));
  if (text !== undefined) return text;
  throw new NgatuError('AUTHORITY_INVALID', `Cannot read the revocation list of ${dir}: there is none`);
}
