import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  type webcrypto,
} from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { NgatuError } from '@ngatu/contract';
import { parseCertificate, splitPem } from './certificate.ts';
import { buildCommonName, buildHolderUri, type CertificateHolder } from './certificate-holder.ts';
import { PAIR_NAMES, type PairName, replacePair } from './identity-folder.ts';
import { makePrivateFolder, readFileIfThere, writePrivateFile } from './private-file.ts';
import { mergeRevocationLists, verifyCertificate } from './verify-certificate.ts';
import { loadX509 } from './x509-library.ts';

const SIGNING = { tls: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }, seal: { name: 'Ed25519' } };

/** Keys that wait for their certificates stand here, below the identity's folder. */
const PENDING = 'pending';

/**
 * Makes new keys where they will be used and asks for their certificates: the private keys never leave the folder. The identity in
 * use is not touched before `installAnswer`. Returns the request, PEM (PKCS #10, one block for each key), also kept as
 * `pending/request.pem`. A request that was not answered is replaced.
 * @throws NgatuError CERTIFICATE_INVALID for an impossible name; PERMISSION_DENIED, DISK_FULL
 */
export async function createRequest(
  dir: string,
  holder: CertificateHolder,
  pairs: readonly PairName[] = holder.kind === 'broker' ? ['tls'] : PAIR_NAMES,
): Promise<string> {
  const commonName = buildCommonName(holder);
  const x509 = await loadX509();
  const pending = join(dir, PENDING);
  makePrivateFolder(dir);
  rmSync(pending, { recursive: true, force: true });
  makePrivateFolder(pending);
  const blocks: string[] = [];
  for (const name of pairs) {
    const { privateKey } =
      name === 'tls' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
    const keys = await importPair(privateKey, name);
    const request = await x509.Pkcs10CertificateRequestGenerator.create({
      name: [{ CN: [commonName] }],
      keys,
      signingAlgorithm: SIGNING[name],
      extensions: [
        new x509.SubjectAlternativeNameExtension([{ type: 'url', value: buildHolderUri(holder) }]),
      ],
    });
    writePrivateFile(
      join(pending, `${name}.key`),
      privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    );
    blocks.push(request.toString('pem'));
  }
  const text = `${blocks.join('\n')}\n`;
  writePrivateFile(join(pending, 'request.pem'), text);
  return text;
}

async function importPair(privateKey: KeyObject, name: PairName): Promise<webcrypto.CryptoKeyPair> {
  const pkcs8 = new Uint8Array(privateKey.export({ type: 'pkcs8', format: 'der' }));
  const spki = new Uint8Array(createPublicKey(privateKey).export({ type: 'spki', format: 'der' }));
  return {
    privateKey: await crypto.subtle.importKey('pkcs8', pkcs8, SIGNING[name], false, ['sign']),
    publicKey: await crypto.subtle.importKey('spki', spki, SIGNING[name], true, ['verify']),
  };
}

/**
 * Takes the authority's answer: each pending key gets its certificate and takes its place; the authority's certificate and list are
 * kept beside. What does not fit is refused before anything is changed. `caSha256` (64 hexadecimal digits, told by another way) or,
 * where there is one already, the authority in the folder says whom to believe.
 * @throws NgatuError IDENTITY_INVALID, CERTIFICATE_FOREIGN, CERTIFICATE_INVALID, PERMISSION_DENIED, DISK_FULL
 */
export async function installAnswer(
  dir: string,
  answerPem: string,
  { nowMs, caSha256 }: { nowMs: number; caSha256?: string },
): Promise<void> {
  const pending = join(dir, PENDING);
  const { caPem, leaves, crlPem } = await readAnswer(answerPem);
  const trustedPem = await checkAuthority(dir, caPem, caSha256);
  const names = PAIR_NAMES.filter((name) => existsSync(join(pending, `${name}.key`)));
  const placed: { name: PairName; keyFile: string; certificatePem: string }[] = [];
  for (const name of names) {
    const keyFile = join(pending, `${name}.key`);
    const publicKey = createPublicKey(createPrivateKey(readFileIfThere(keyFile) ?? ''));
    const spki = publicKey.export({ type: 'spki', format: 'der' });
    for (const certificatePem of leaves) {
      const facts = await verifyCertificate(certificatePem, caPem, { atMs: nowMs, crl: crlPem });
      if (spki.equals(facts.publicKeySpki)) placed.push({ name, keyFile, certificatePem });
    }
  }
  if (names.length === 0 || placed.length !== names.length || leaves.length !== names.length) {
    throw new NgatuError(
      'IDENTITY_INVALID',
      `Cannot install the answer in ${dir}: it does not answer the request that is open there`,
    );
  }
  const knownLists = trustedPem === caPem ? '' : (readFileIfThere(join(dir, 'crl.pem')) ?? '');
  writePrivateFile(join(dir, 'ca.crt'), trustedPem);
  writePrivateFile(join(dir, 'crl.pem'), await mergeRevocationLists(knownLists, crlPem));
  for (const { name, ...pair } of placed) replacePair(dir, name, pair);
  rmSync(pending, { recursive: true, force: true });
}

async function readAnswer(pem: string): Promise<{ caPem: string; leaves: string[]; crlPem: string }> {
  const x509 = await loadX509();
  const leaves: string[] = [];
  const authorities: string[] = [];
  for (const block of splitPem(pem, 'CERTIFICATE')) {
    const certificate = await parseCertificate(block);
    const isAuthority = certificate.getExtension(x509.BasicConstraintsExtension)?.ca;
    (isAuthority === true ? authorities : leaves).push(block);
  }
  return {
    caPem: `${authorities.join('\n')}\n`,
    leaves: leaves.map((block) => `${block}\n`),
    crlPem: `${splitPem(pem, 'X509 CRL').join('\n')}\n`,
  };
}

/**
 * Whoever can slip in an answer with an authority of his own would own the node. Returns whom the folder trusts from now on: as before
 * where the authority is one of several that are known, while one replaces another.
 */
async function checkAuthority(dir: string, caPem: string, caSha256: string | undefined): Promise<string> {
  const digests = await computeDigests(caPem);
  const known = readFileIfThere(join(dir, 'ca.crt'));
  const knownDigests = known === undefined ? [] : await computeDigests(known);
  const expected = caSha256?.toLowerCase().replaceAll(':', '');
  const [digest = ''] = digests;
  if (
    digests.length === 1 &&
    known !== undefined &&
    knownDigests.includes(digest) &&
    (expected ?? digest) === digest
  )
    return known;
  if (digests.length === 1 && (expected === undefined ? known === undefined : expected === digest))
    return caPem;
  throw new NgatuError(
    'CERTIFICATE_FOREIGN',
    `Cannot install the answer in ${dir}: it comes from the authority ${digests.join(', ')}, which is not ${expected ?? 'the one that is known here'}`,
  );
}

async function computeDigests(caPem: string): Promise<string[]> {
  const authorities = await Promise.all(splitPem(caPem, 'CERTIFICATE').map(parseCertificate));
  return Promise.all(
    authorities.map(async (one) => Buffer.from(await one.getThumbprint('SHA-256')).toString('hex')),
  );
}
