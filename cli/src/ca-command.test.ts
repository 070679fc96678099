import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadIdentity, openAuthority, revoke, verifyCertificate } from '@ngatu/trust';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { lockAuthority } from './authority-folder.ts';
import { buildCommand } from './ca-command.ts';
import {
  listStartIdentities,
  prepareIdentities,
  renewIdentities,
  watchIdentities,
} from './start-identity.ts';

const DAY_MS = 86_400_000;
const GATEWAY = ['--site', 'bien-hoa', '--node', 'gw-7'];

let folder: string;
let authority: string;
let said: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ngatu-ca-'));
  authority = join(folder, 'authority');
  said = [];
  vi.spyOn(console, 'log').mockImplementation((line: string) => void said.push(line));
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs `ngatu ca …` and returns what it printed. */
async function ca(...args: string[]): Promise<string> {
  said = [];
  await buildCommand().parseAsync(args, { from: 'user' });
  return said.join('\n');
}

it('leads a node from its request to its revocation, and the authority’s key stays encrypted', async () => {
  vi.stubEnv('NGATU_CA_PASSPHRASE', 'một câu rất dài');
  const begun = await ca('init', '--dir', authority, '--name', 'Đồng Nai');
  const digest = /^sha256 ([0-9a-f]{64})$/m.exec(begun)?.[1] ?? '';
  expect(readFileSync(join(authority, 'ca.key'), 'utf8')).toContain('ENCRYPTED');
  const centre = join(folder, 'centre');
  await ca('enrol', '--dir', authority, '--centre', '--host', '127.0.0.1', '--identity', centre);
  const node = join(folder, 'node');
  await ca('request', '--identity', node, ...GATEWAY);
  const answer = join(folder, 'answer.pem');
  const request = join(node, 'pending', 'request.pem');
  await ca('sign', '--dir', authority, '--request', request, '--out', answer, ...GATEWAY);
  const install = ['install', '--identity', node, '--answer', answer];
  await expect(ca(...install)).rejects.toMatchObject({ code: 'USAGE' });
  await ca(...install, '--ca-sha256', digest);
  const first = loadIdentity(node);
  expect(first.holder).toEqual({ kind: 'node', site: 'bien-hoa', node: 'gw-7' });
  await ca('rotate', '--dir', authority, '--identity', node, '--tls-only', '--days', '30');
  const second = loadIdentity(node);
  expect(second.seal?.facts).toEqual(first.seal?.facts);
  expect(second.tls.facts.notAfterMs - Date.now()).toBeLessThanOrEqual(30 * DAY_MS);
  expect((await ca('list', '--dir', authority, '--expiring', '31')).split('\n')).toHaveLength(1);
  const revoked = await ca('revoke', '--dir', authority, ...GATEWAY, '--publish', centre);
  expect(revoked.match(/^revoked /gm)).toHaveLength(3);
  const { crlPem = '', caPem } = loadIdentity(centre);
  const verdict = verifyCertificate(second.tls.certificatePem, caPem, { atMs: Date.now(), crl: crlPem });
  await expect(verdict).rejects.toMatchObject({ code: 'CERTIFICATE_REVOKED' });
  const states = (await ca('list', '--dir', authority, '--json')).split('\n').map((line) => JSON.parse(line));
  expect(states.map(({ state }) => state)).toEqual(['in force', 'in force', 'revoked', 'revoked', 'revoked']);
  vi.stubEnv('NGATU_CA_PASSPHRASE', 'etwas ganz anderes');
  await expect(ca('crl', '--dir', authority)).rejects.toMatchObject({ code: 'AUTHORITY_INVALID' });
});

it.each([[[]], [['--site', 'a']], [['--centre', '--broker']], [['--site', 'a', '--node', 'b', '--centre']]])(
  'asks whom it is about: %j',
  async (holder) => {
    await ca('init', '--dir', authority, '--name', 'A');
    const enrol = ca('enrol', '--dir', authority, '--identity', join(folder, 'x'), ...holder);
    await expect(enrol).rejects.toMatchObject({ code: 'USAGE' });
  },
);

it('does one thing at a time with an authority', async () => {
  const order: string[] = [];
  const first = lockAuthority(authority, async () => {
    order.push('first begins');
    await new Promise((resolve) => setImmediate(resolve));
    order.push('first ends');
  });
  await Promise.all([first, lockAuthority(authority, async () => void order.push('second'))]);
  expect(order).toEqual(['first begins', 'first ends', 'second']);
});

it('gives every part of a start its identity, keeps it, renews what ends soon, and follows a revocation', async () => {
  const paths = { edge: join(folder, 'edge'), cloud: join(folder, 'cloud'), broker: join(folder, 'broker') };
  const identities = listStartIdentities(paths, { site: 'demo', node: 'gateway-1' });
  const serials = () => identities.map(({ dir }) => loadIdentity(dir).tls.facts.serialNumber);
  await prepareIdentities(authority, identities);
  const before = serials();
  expect(statSync(authority).mode & 0o777).toBe(0o700);
  await prepareIdentities(authority, identities);
  expect(serials()).toEqual(before);
  const later = { ...(await openAuthority(authority)), clock: { nowMs: () => Date.now() + 150 * DAY_MS } };
  const renewed = await renewIdentities(later, identities);
  expect(renewed).toEqual(identities.map(({ dir }) => dir));
  expect(serials().filter((serial) => before.includes(serial))).toEqual([]);
  const other = listStartIdentities(paths, { site: 'demo', node: 'gateway-2' });
  await prepareIdentities(authority, other);
  expect(loadIdentity(join(paths.edge, 'identity')).holder).toMatchObject({ node: 'gateway-2' });
  const errors: unknown[] = [];
  let onRevoked = (): void => undefined;
  const revocation = new Promise<void>((resolve) => {
    onRevoked = resolve;
  });
  const onBrokerRenewed = (): void => undefined;
  const onError = (error: unknown): void => void errors.push(error);
  const watch = watchIdentities({
    ...{ authorityDir: authority, identities: other, onRevoked, onBrokerRenewed, onError },
  });
  await revoke(await openAuthority(authority), { holder: { kind: 'node', site: 'demo', node: 'gateway-2' } });
  await revocation;
  await watch[Symbol.asyncDispose]();
  const lists = other.map(({ dir }) => readFileSync(join(dir, 'crl.pem'), 'utf8'));
  expect(new Set(lists)).toEqual(new Set([readFileSync(join(authority, 'crl.pem'), 'utf8')]));
  expect(errors).toEqual([]);
});
