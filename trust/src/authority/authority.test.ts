import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Authority,
  createAuthority,
  loadIssued,
  loadRevocationList,
  openAuthority,
  revoke,
} from './authority.ts';
import { readCertificate, splitPem } from './certificate.ts';
import { type Identity, loadIdentity, settlePair } from './identity-folder.ts';
import { createRequest, installAnswer } from './identity-request.ts';
import {
  issueBrokerIdentity,
  issueCentreIdentity,
  issueIdentity,
  issueNodeIdentity,
  signRequest,
} from './issue-identity.ts';
import { readNodeCertificate } from './node-certificate.ts';
import { verifyCertificate } from './verify-certificate.ts';

const DAY_MS = 86_400_000;
const SITE = 'bien-hoa';
const START_MS = Date.UTC(2026, 0, 5, 8);
let folder: string;
let nowMs = START_MS;
const clock = { nowMs: () => nowMs };
let authority: Authority;
let other: Authority;
let count = 0;
const newDir = (): string => join(folder, `dir-${count++}`);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ngatu-authority-'));
  authority = await createAuthority(newDir(), { name: 'Tỉnh Đồng Nai', clock });
  other = await createAuthority(newDir(), { name: 'Tỉnh Đồng Nai', clock });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function issueNode(node = 'gw-1', by = authority): Promise<Identity> {
  const dir = newDir();
  await issueNodeIdentity(by, { site: SITE, node, dir });
  return loadIdentity(dir);
}

const codeOf = async (work: Promise<unknown> | (() => unknown)): Promise<unknown> => {
  try {
    await (typeof work === 'function' ? work() : work);
    return undefined;
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
};

describe('issued certificates', () => {
  it('are found good by openssl for their use and for no other', async () => {
    const node = await issueNode();
    const centreDir = newDir();
    await issueCentreIdentity(authority, { hosts: ['127.0.0.1', 'centre.example'], dir: centreDir });
    const check = (purpose: string, file: string, ...more: string[]): string => {
      const ca = ['-CAfile', join(node.dir, 'ca.crt'), '-crl_check', '-CRLfile', join(node.dir, 'crl.pem')];
      const args = ['verify', '-x509_strict', '-attime', String(nowMs / 1_000), ...ca];
      return execFileSync('openssl', [...args, '-purpose', purpose, ...more, file], {
        encoding: 'utf8',
        stdio: 'pipe',
      });
    };
    expect(check('sslclient', join(node.dir, 'tls.crt'))).toContain('OK');
    expect(check('sslserver', join(centreDir, 'tls.crt'), '-verify_ip', '127.0.0.1')).toContain('OK');
    expect(check('any', join(node.dir, 'seal.crt'))).toContain('OK');
    expect(() => check('sslserver', join(node.dir, 'tls.crt'))).toThrow();
    expect(() => check('sslclient', join(node.dir, 'seal.crt'))).toThrow();
    expect(() => check('sslserver', join(centreDir, 'tls.crt'), '-verify_ip', '127.0.0.2')).toThrow();
  });

  it('say the same to both readers', async () => {
    const node = await issueNode();
    const brokerDir = newDir();
    await issueBrokerIdentity(authority, { hosts: ['broker.example', '10.0.0.1'], dir: brokerDir });
    const pems = [
      node.tls.certificatePem,
      node.seal?.certificatePem ?? '',
      loadIdentity(brokerDir).tls.certificatePem,
    ];
    for (const pem of pems) expect(readNodeCertificate(pem)).toEqual(await readCertificate(pem));
    expect(node.tls.facts).toMatchObject({
      holder: { kind: 'node', site: SITE, node: 'gw-1' },
      uses: ['client'],
    });
    expect(node.seal?.facts.ed25519PublicKey).toHaveLength(32);
    expect(loadIdentity(brokerDir)).not.toHaveProperty('seal');
    expect(loadIdentity(brokerDir).tls.facts.hosts).toEqual(['broker.example', '10.0.0.1']);
  });

  it('lie in folders that nobody else can read', async () => {
    const { dir } = await issueNode();
    for (const place of [dir, authority.dir]) {
      expect(statSync(place).mode & 0o777).toBe(0o700);
      for (const name of readdirSync(place)) expect(statSync(join(place, name)).mode & 0o777).toBe(0o600);
    }
  });

  it.each([
    ['Q1', 'gw'],
    ['q1', 'a/b'],
    ['q1', ''],
    ['q1', '+'],
    ['a'.repeat(40), 'b'.repeat(40)],
  ])('are refused to the node %s/%s', async (site, node) => {
    const refused = issueNodeIdentity(authority, { site, node, dir: newDir() });
    expect(await codeOf(refused)).toBe('CERTIFICATE_INVALID');
  });
});

describe('verifyCertificate', () => {
  const at = (ms: number) => ({ atMs: ms });

  it('accepts from the first to the last moment, and says why not outside', async () => {
    const { tls, caPem } = await issueNode();
    const { notBeforeMs, notAfterMs } = tls.facts;
    expect(notAfterMs - nowMs).toBe(180 * DAY_MS);
    const verdicts = [notBeforeMs - 1_000, notBeforeMs, notAfterMs, notAfterMs + 1_000].map((ms) =>
      codeOf(verifyCertificate(tls.certificatePem, caPem, at(ms))),
    );
    expect(await Promise.all(verdicts)).toEqual([
      'CERTIFICATE_EXPIRED',
      undefined,
      undefined,
      'CERTIFICATE_EXPIRED',
    ]);
  });

  it('refuses what another authority of the same name issued, and accepts it beside the own one', async () => {
    const { tls } = await issueNode('gw-1', other);
    const verify = (ca: string) => codeOf(verifyCertificate(tls.certificatePem, ca, at(nowMs)));
    expect(await verify(authority.caPem)).toBe('CERTIFICATE_FOREIGN');
    expect(await verify(authority.caPem + other.caPem)).toBeUndefined();
  });

  it('refuses another use, an authority, a copy with another bit, and what is no certificate', async () => {
    const { tls, seal, caPem } = await issueNode();
    const verify = (pem: string, use: 'client' | 'seal' = 'client', ca = caPem) =>
      codeOf(verifyCertificate(pem, ca, { ...at(nowMs), use }));
    expect(await verify(tls.certificatePem)).toBeUndefined();
    expect(await verify(seal?.certificatePem ?? '', 'seal')).toBeUndefined();
    expect(await verify(seal?.certificatePem ?? '')).toBe('CERTIFICATE_INVALID');
    expect(await verify(caPem)).toMatch(/^CERTIFICATE_/);
    const der = Buffer.from(new X509Certificate(tls.certificatePem).raw);
    const toPem = (bytes: Buffer) =>
      `-----BEGIN CERTIFICATE-----\n${bytes.toString('base64')}\n-----END CERTIFICATE-----\n`;
    // Those around the signed part are forgiven by many readers: each of them, and a sample of the others.
    const signedTo = der.length - 90;
    const places = [...der.keys()].filter((index) => index < 8 || index > signedTo || index % 37 === 0);
    for (const index of places) {
      const changed = Buffer.from(der);
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect(await verify(toPem(changed)), `byte ${index}`).toMatch(/^CERTIFICATE_/);
    }
    for (const text of ['', 'x', `${tls.certificatePem}${tls.certificatePem}`, toPem(der.subarray(0, 50))])
      expect(await verify(text)).toBe('CERTIFICATE_INVALID');
    expect(await verify(tls.certificatePem, 'client', '')).toBe('AUTHORITY_INVALID');
    expect(await verify(tls.certificatePem, 'client', tls.certificatePem)).toBe('AUTHORITY_INVALID');
  });

  it('refuses an authority whose extensions are not what they are named', async () => {
    const der = Buffer.from(authority.caPem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
    // basicConstraints, critical, in an OCTET STRING: a SEQUENCE
    const begin = der.indexOf('0603551d130101ff04', 0, 'hex') + 10;
    expect(der[begin]).toBe(0x30);
    for (const byte of [0x31, 0x04]) {
      const altered = Buffer.from(der);
      altered[begin] = byte;
      const pem = `-----BEGIN CERTIFICATE-----\n${altered.toString('base64')}\n-----END CERTIFICATE-----\n`;
      const { tls } = await issueNode();
      const judged = verifyCertificate(tls.certificatePem, pem, { atMs: nowMs });
      expect(await codeOf(judged)).toBe('CERTIFICATE_INVALID');
    }
  });

  it('lets a revocation count from its date on, by the newest list that the authority signed', async () => {
    const { tls, seal, caPem, crlPem = '' } = await issueNode('gw-revoked');
    const kept = await issueNode('gw-kept');
    const sealPem = seal?.certificatePem ?? '';
    nowMs += DAY_MS;
    const revoked = await revoke(authority, { holder: tls.facts.holder });
    expect(revoked.map(({ kind }) => kind)).toEqual(['tls', 'seal']);
    const crl = loadRevocationList(authority.dir);
    const verify = (pem: string, ms: number, list = crl) =>
      codeOf(verifyCertificate(pem, caPem, { atMs: ms, crl: list }));
    expect(await verify(tls.certificatePem, nowMs)).toBe('CERTIFICATE_REVOKED');
    expect(await verify(sealPem, nowMs)).toBe('CERTIFICATE_REVOKED');
    expect(await verify(sealPem, nowMs - 1_000)).toBeUndefined();
    expect(await verify(kept.tls.certificatePem, nowMs)).toBeUndefined();
    expect(await verify(tls.certificatePem, nowMs, crlPem)).toBeUndefined();
    expect(await verify(tls.certificatePem, nowMs, crl + crlPem)).toBe('CERTIFICATE_REVOKED');
    expect(await verify(tls.certificatePem, nowMs, loadRevocationList(other.dir))).toBe(
      'REVOCATION_LIST_INVALID',
    );
    expect(await verify(tls.certificatePem, nowMs, '')).toBe('REVOCATION_LIST_INVALID');
    expect(await codeOf(revoke(authority, { holder: tls.facts.holder }))).toBe('AUTHORITY_INVALID');
  });
});

describe('an authority', () => {
  it('opens its encrypted key with its passphrase alone, and goes on in its ledger', async () => {
    const dir = newDir();
    const passphrase = 'rất dài và bí mật';
    await createAuthority(dir, { name: 'A', passphrase, clock });
    expect(readFileSync(join(dir, 'ca.key'), 'utf8')).toContain('ENCRYPTED PRIVATE KEY');
    expect(await codeOf(openAuthority(dir))).toBe('AUTHORITY_INVALID');
    expect(await codeOf(openAuthority(dir, { passphrase: 'something else' }))).toBe('AUTHORITY_INVALID');
    const opened = await openAuthority(dir, { passphrase, clock });
    await issueNodeIdentity(opened, { site: SITE, node: 'gw-1', dir: newDir() });
    expect(loadIssued(dir).map(({ holder, kind }) => [holder, kind])).toEqual([
      ['urn:ngatu:node:bien-hoa:gw-1', 'tls'],
      ['urn:ngatu:node:bien-hoa:gw-1', 'seal'],
    ]);
    expect(await codeOf(createAuthority(dir, { name: 'A' }))).toBe('AUTHORITY_INVALID');
    expect(await codeOf(createAuthority(newDir(), { name: 'A', passphrase: 'short' }))).toBe(
      'AUTHORITY_INVALID',
    );
    expect(await codeOf(openAuthority(newDir()))).toBe('AUTHORITY_INVALID');
  });

  it('finds a ledger from which a line was taken, or in which one was changed', async () => {
    const { ledger, dir } = await createAuthority(newDir(), { name: 'A', clock }).then((own) => ({
      ...own,
      ledger: join(own.dir, 'ledger.jsonl'),
    }));
    await issueNodeIdentity(await openAuthority(dir), { site: SITE, node: 'gw-1', dir: newDir() });
    const text = readFileSync(ledger, 'utf8');
    const [first = '', second = '', third = ''] = text.split('\n');
    for (const broken of [
      `${first}\n${third}\n`,
      text.replace('gw-1', 'gw-9'),
      `${second}\n`,
      `${text}{}\n`,
    ]) {
      writeFileSync(ledger, broken);
      expect(await codeOf(openAuthority(dir))).toBe('AUTHORITY_INVALID');
    }
    writeFileSync(ledger, text);
    appendFileSync(ledger, '{"schemaVersion":1,"previ');
    const opened = await openAuthority(dir);
    await issueNodeIdentity(opened, { site: SITE, node: 'gw-2', dir: newDir() });
    expect(loadIssued(dir)).toHaveLength(4);
  });

  it('writes the list of a revocation that was cut short when it opens', async () => {
    const own = await createAuthority(newDir(), { name: 'A', clock });
    const { tls, caPem } = await issueNode('gw-1', own);
    const before = loadRevocationList(own.dir);
    await revoke(own, { serialNumbers: [tls.facts.serialNumber] }, 'superseded');
    writeFileSync(join(own.dir, 'crl.pem'), before);
    await openAuthority(own.dir, { clock });
    const crl = loadRevocationList(own.dir);
    const verdict = verifyCertificate(tls.certificatePem, caPem, { atMs: nowMs, crl });
    expect(await codeOf(verdict)).toBe('CERTIFICATE_REVOKED');
  });
});

describe('enrolment by request', () => {
  const holder = { kind: 'node', site: SITE, node: 'gw-7' } as const;
  const digest = (pem: string): string => new X509Certificate(pem).fingerprint256;

  it('leaves the private keys where they were made', async () => {
    const dir = newDir();
    const request = await createRequest(dir, holder);
    expect(request).not.toContain('PRIVATE');
    const { answerPem } = await signRequest(authority, request, holder);
    expect(answerPem).not.toContain('PRIVATE');
    await installAnswer(dir, answerPem, { nowMs, caSha256: digest(authority.caPem) });
    expect(loadIdentity(dir).seal?.facts.holder).toEqual(holder);
    expect(readdirSync(dir).sort()).toEqual(
      ['ca.crt', 'crl.pem', 'seal.crt', 'seal.key', 'tls.crt', 'tls.key'].sort(),
    );
  });

  it('refuses to sign another name, another kind of key, a broken request, or one twice', async () => {
    const request = await createRequest(newDir(), holder);
    const blocks = splitPem(request, 'CERTIFICATE REQUEST');
    const rsa = execFileSync(
      'openssl',
      [
        'req',
        '-new',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-keyout',
        '/dev/null',
        '-subj',
        '/CN=bien-hoa\\/gw-7',
      ],
      { encoding: 'utf8', stdio: 'pipe' },
    );
    const other = { ...holder, node: 'gw-8' };
    const broken = request.replace(/[A-Za-z0-9](?=[^\n]{10}\n-----END)/, (found) =>
      found === 'A' ? 'B' : 'A',
    );
    const attempts = [
      signRequest(authority, request, other),
      signRequest(authority, rsa, holder),
      signRequest(authority, broken, holder),
      signRequest(authority, `${blocks[0]}${blocks[0]}`, holder),
      signRequest(authority, '', holder),
      signRequest(authority, request, { kind: 'broker' }, { hosts: ['b'] }),
    ];
    expect(await Promise.all(attempts.map(codeOf))).toEqual(
      attempts.map(() => 'CERTIFICATE_REQUEST_INVALID'),
    );
  });

  it('refuses an answer of another authority or to another request, and keeps what it had', async () => {
    const dir = newDir();
    await issueNodeIdentity(authority, { site: SITE, node: 'gw-7', dir });
    const before = digest(loadIdentity(dir).tls.certificatePem);
    const request = await createRequest(dir, holder);
    const foreign = await signRequest(other, request, holder);
    expect(await codeOf(installAnswer(dir, foreign.answerPem, { nowMs }))).toBe('CERTIFICATE_FOREIGN');
    const wrong = installAnswer(dir, foreign.answerPem, { nowMs, caSha256: 'a'.repeat(64) });
    expect(await codeOf(wrong)).toBe('CERTIFICATE_FOREIGN');
    const elsewhere = await signRequest(authority, await createRequest(newDir(), holder), holder);
    expect(await codeOf(installAnswer(dir, elsewhere.answerPem, { nowMs }))).toBe('IDENTITY_INVALID');
    expect(await codeOf(installAnswer(dir, 'x', { nowMs }))).toMatch(/_/);
    expect(digest(loadIdentity(dir).tls.certificatePem)).toBe(before);
  });
});

describe('an authority that replaces another', () => {
  it('is trusted beside it, with a list of each', async () => {
    const { dir, holder } = await issueNode('gw-6');
    appendFileSync(join(dir, 'ca.crt'), other.caPem);
    appendFileSync(join(dir, 'crl.pem'), loadRevocationList(other.dir));
    const { answerPem } = await signRequest(other, await createRequest(dir, holder), holder);
    await installAnswer(dir, answerPem, { nowMs });
    const { tls, caPem, crlPem = '' } = loadIdentity(dir);
    expect(caPem).toBe(authority.caPem + other.caPem);
    const old = await issueNode('gw-6');
    for (const pem of [tls.certificatePem, old.tls.certificatePem])
      expect(await codeOf(verifyCertificate(pem, caPem, { atMs: nowMs, crl: crlPem }))).toBeUndefined();
    const only = await signRequest(authority, await createRequest(dir, holder), holder);
    const caSha256 = new X509Certificate(authority.caPem).fingerprint256;
    await installAnswer(dir, only.answerPem, { nowMs, caSha256 });
    expect(loadIdentity(dir).caPem).toBe(caPem);
  });
});

describe('rotation', () => {
  it('replaces one pair or both; the old certificate stays valid beside the new', async () => {
    const old = await issueNode('gw-2');
    await issueIdentity(authority, old.holder, old.dir, { pairs: ['tls'] });
    const fresh = loadIdentity(old.dir);
    expect(fresh.tls.facts.serialNumber).not.toBe(old.tls.facts.serialNumber);
    expect(fresh.seal?.facts).toEqual(old.seal?.facts);
    for (const { tls } of [old, fresh])
      expect(await codeOf(verifyCertificate(tls.certificatePem, old.caPem, { atMs: nowMs }))).toBeUndefined();
  });

  it('leaves a pair that fits wherever the power fails, and is ended by the next', async () => {
    const { dir } = await issueNode('gw-3');
    const spare = await issueNode('gw-3');
    // As `replacePair` leaves it between its two renames.
    copyFileSync(join(spare.dir, 'tls.crt'), join(dir, 'tls.crt.next'));
    const before = loadIdentity(dir);
    renameSync(join(spare.dir, 'tls.key'), join(dir, 'tls.key'));
    expect(loadIdentity(dir).tls.facts).toEqual(spare.tls.facts);
    expect(before.tls.facts).not.toEqual(spare.tls.facts);
    settlePair(dir, 'tls');
    expect(readFileSync(join(dir, 'tls.crt'), 'utf8')).toBe(spare.tls.certificatePem);
    expect(readdirSync(dir)).not.toContain('tls.crt.next');
  });
});

describe('loadIdentity', () => {
  it('says what is wrong with a folder, and never shows a key', async () => {
    const { dir } = await issueNode('gw-4');
    const spare = await issueNode('gw-4');
    const load = () => codeOf(() => loadIdentity(dir));
    chmodSync(join(dir, 'seal.key'), 0o604);
    expect(await load()).toBe('IDENTITY_INVALID');
    chmodSync(join(dir, 'seal.key'), 0o600);
    copyFileSync(join(spare.dir, 'tls.crt'), join(dir, 'tls.crt'));
    expect(await load()).toBe('IDENTITY_INVALID');
    writeFileSync(join(dir, 'tls.key'), 'x');
    expect(await load()).toBe('IDENTITY_INVALID');
    rmSync(join(dir, 'tls.key'));
    expect(await load()).toBe('IDENTITY_INVALID');
    expect(await codeOf(() => loadIdentity(newDir()))).toBe('IDENTITY_INVALID');
    const shown = JSON.stringify(spare);
    const [, secret = ''] = readFileSync(join(spare.dir, 'tls.key'), 'utf8').split('\n');
    expect(secret.length).toBeGreaterThan(40);
    expect(shown).not.toContain(secret.slice(0, 40));
    expect(shown).not.toContain('PRIVATE');
  });
});
