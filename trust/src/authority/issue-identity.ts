import { NgatuError } from '@ngatu/contract';
import { type Authority, BACKDATED_MS, createSerialNumber, loadRevocationList } from './authority.ts';
import { type CertificateFacts, readCertificate, splitPem } from './certificate.ts';
import {
  buildCommonName,
  buildHolderUri,
  type CertificateHolder,
  type CertificateUse,
  USE_OIDS,
} from './certificate-holder.ts';
import type { PairName } from './identity-folder.ts';
import { createRequest, installAnswer } from './identity-request.ts';
import { loadX509, type X509Library } from './x509-library.ts';

const DAY_MS = 86_400_000;
/** How long a certificate is valid, days: a seal's longer than a connection's, because its changes are kept with the evidence. */
const VALID_DAYS: Readonly<Record<PairName, number>> = { tls: 180, seal: 730 };

export interface IssueOptions {
  /** DNS names and addresses under which a centre or broker is reached. */
  readonly hosts?: readonly string[];
  /** Overrides the validity of both certificates, days. */
  readonly validDays?: number;
  /** Which keys are new; the others stay as they are. */
  readonly pairs?: readonly PairName[];
}

/**
 * Makes an identity of a node in `dir` (client of the broker and of uploads, and its seal).
 * @throws NgatuError CERTIFICATE_INVALID for an impossible name; AUTHORITY_INVALID, PERMISSION_DENIED, DISK_FULL
 */
export function issueNodeIdentity(
  authority: Authority,
  { site, node, dir, ...options }: IssueOptions & { site: string; node: string; dir: string },
): Promise<CertificateFacts[]> {
  return issueIdentity(authority, { kind: 'node', site, node }, dir, options);
}

/** Makes an identity of the centre in `dir`: server for uploads, client of the broker, and its seal. Throws as for a node. */
export function issueCentreIdentity(
  authority: Authority,
  { dir, ...options }: IssueOptions & { hosts: readonly string[]; dir: string },
): Promise<CertificateFacts[]> {
  return issueIdentity(authority, { kind: 'centre' }, dir, options);
}

/** Makes an identity of the broker in `dir`: a server. Throws as for a node. */
export function issueBrokerIdentity(
  authority: Authority,
  { dir, ...options }: IssueOptions & { hosts: readonly string[]; dir: string },
): Promise<CertificateFacts[]> {
  return issueIdentity(authority, { kind: 'broker' }, dir, options);
}

/** Makes or renews, where authority and identity are on one machine. The old certificates stay valid until they expire. */
export async function issueIdentity(
  authority: Authority,
  holder: CertificateHolder,
  dir: string,
  { pairs, ...options }: IssueOptions = {},
): Promise<CertificateFacts[]> {
  const request = await createRequest(dir, holder, pairs);
  const { answerPem, issued } = await signRequest(authority, request, holder, options);
  await installAnswer(dir, answerPem, { nowMs: authority.clock.nowMs() });
  return issued;
}

/**
 * Signs what a holder asked for. The request proves that it has the keys; that it is the one it says, the caller must know: `holder`
 * is what the operator expects, and a request that names another is refused. The answer holds the new certificates, the
 * authority's own and its revocation list; nothing in it is secret.
 * @throws NgatuError CERTIFICATE_REQUEST_INVALID, CERTIFICATE_INVALID, PERMISSION_DENIED, DISK_FULL
 */
export async function signRequest(
  authority: Authority,
  requestPem: string,
  holder: CertificateHolder,
  { hosts = [], validDays }: Omit<IssueOptions, 'pairs'> = {},
): Promise<{ readonly answerPem: string; readonly issued: CertificateFacts[] }> {
  const keys = await readRequest(requestPem, holder);
  if (holder.kind !== 'node' && hosts.length === 0)
    throw new NgatuError('CERTIFICATE_INVALID', `Cannot certify the ${holder.kind} without a host name`);
  const certificates: string[] = [];
  const issued: CertificateFacts[] = [];
  for (const key of keys) {
    const days = validDays ?? VALID_DAYS[key.name];
    const pem = await signCertificate(authority, { ...key, holder, hosts, validMs: days * DAY_MS });
    const facts = await readCertificate(pem);
    authority.ledger.append({
      action: 'issued',
      at: new Date(authority.clock.nowMs()).toISOString(),
      serialNumber: facts.serialNumber,
      holder: buildHolderUri(holder),
      kind: key.name,
      notBefore: new Date(facts.notBeforeMs).toISOString(),
      notAfter: new Date(facts.notAfterMs).toISOString(),
      sha256: facts.sha256,
    });
    certificates.push(pem);
    issued.push(facts);
  }
  const crl = loadRevocationList(authority.dir);
  return { answerPem: [...certificates, authority.caPem, crl].join(''), issued };
}

interface RequestedKey {
  readonly name: PairName;
  readonly spki: Uint8Array<ArrayBuffer>;
}

async function readRequest(requestPem: string, holder: CertificateHolder): Promise<RequestedKey[]> {
  const x509 = await loadX509();
  const blocks = splitPem(requestPem, 'CERTIFICATE REQUEST');
  const keys = await Promise.all(blocks.map((block) => readRequestBlock(x509, block, holder)));
  const [first, second] = keys;
  if (first === undefined || keys.length > 2 || first.name === second?.name)
    throw refuse(`it holds ${keys.length} requests, and not one for each kind of key`);
  if (holder.kind === 'broker' && keys.some(({ name }) => name === 'seal'))
    throw refuse('a broker seals nothing');
  return keys;
}

async function readRequestBlock(
  x509: X509Library,
  block: string,
  holder: CertificateHolder,
): Promise<RequestedKey> {
  let request: InstanceType<X509Library['Pkcs10CertificateRequest']>;
  let isProved: boolean;
  try {
    request = new x509.Pkcs10CertificateRequest(block);
    isProved = await request.verify();
  } catch (error) {
    throw refuse('it is damaged', error);
  }
  if (!isProved) throw refuse('its signature is wrong: whoever asks has not the key');
  const [commonName] = request.subjectName.getField('CN');
  if (commonName !== buildCommonName(holder))
    throw refuse(`it asks for "${commonName ?? ''}", and "${buildCommonName(holder)}" is expected`);
  const { algorithm, rawData } = request.publicKey;
  const spki = new Uint8Array(rawData);
  if (algorithm.name === 'Ed25519') return { name: 'seal', spki };
  if (algorithm.name === 'ECDSA' && 'namedCurve' in algorithm && algorithm.namedCurve === 'P-256')
    return { name: 'tls', spki };
  throw refuse(`its key is ${algorithm.name}; ECDSA P-256 or Ed25519 is expected`);
}

function refuse(reason: string, cause?: unknown): NgatuError {
  return new NgatuError(
    'CERTIFICATE_REQUEST_INVALID',
    `Cannot sign the request: ${reason}`,
    cause === undefined ? {} : { cause },
  );
}

interface CertificateOrder extends RequestedKey {
  readonly holder: CertificateHolder;
  readonly hosts: readonly string[];
  readonly validMs: number;
}

async function signCertificate(
  { caPem, clock, signingKey }: Authority,
  { name, spki, holder, hosts, validMs }: CertificateOrder,
): Promise<string> {
  const x509 = await loadX509();
  const ca = new x509.X509Certificate(caPem);
  const isServer = name === 'tls' && holder.kind !== 'node';
  const nowMs = clock.nowMs();
  // Nothing outlives the authority that vouches for it.
  const notAfterMs = Math.min(nowMs + validMs, ca.notAfter.getTime());
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: createSerialNumber(),
    subject: [{ CN: [buildCommonName(holder)] }],
    issuer: ca.subjectName,
    notBefore: new Date(Math.max(nowMs - BACKDATED_MS, ca.notBefore.getTime())),
    notAfter: new Date(notAfterMs),
    publicKey: spki,
    signingKey,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(listUses(name, holder).map((use) => USE_OIDS[use])),
      new x509.SubjectAlternativeNameExtension([
        { type: 'url', value: buildHolderUri(holder) },
        ...(isServer ? hosts : []).map(
          (host) => ({ type: isAddress(host) ? 'ip' : 'dns', value: host }) as const,
        ),
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(ca.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(new x509.PublicKey(spki)),
    ],
  });
  return `${certificate.toString('pem')}\n`;
}

function listUses(name: PairName, holder: CertificateHolder): CertificateUse[] {
  if (name === 'seal') return ['seal'];
  if (holder.kind === 'node') return ['client'];
  return holder.kind === 'centre' ? ['server', 'client'] : ['server'];
}

function isAddress(host: string): boolean {
  return /^[0-9.]+$/.test(host) || host.includes(':');
}
