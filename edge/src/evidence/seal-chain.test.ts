import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NgatuError } from '@ngatu/contract';
import {
  type Authority,
  computeManifestSha256,
  createAuthority,
  issueNodeIdentity,
  type SealedManifest,
  SealTrust,
  verifyManifestSeal,
} from '@ngatu/trust';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { aManifest, anEvent, NODE, SITE } from '../../../tests/delivery/message-builder.ts';
import { aScene } from '../testing/builder.ts';
import { EvidenceSealer } from './seal-chain.ts';
import { buildSealedFacts } from './seal-facts.ts';

const OUTBOX = '00000000-0000-4000-8000-000000000001';
const OTHER_OUTBOX = '00000000-0000-4000-8000-000000000002';
const logger = pino({ level: 'silent' });
const scene = aScene({
  rules: [{ name: 'red-light-north', kind: 'RED_LIGHT', stopLine: 'stop-line', signal: 'main' }],
});

let folder: string;
let dir: string;
let authority: Authority;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ngatu-sealer-'));
  dir = join(folder, 'identity');
  // before the builders' messages of March 2025, and valid beyond them
  const clock = { nowMs: () => Date.UTC(2025, 1, 20) };
  authority = await createAuthority(join(folder, 'ca'), { name: 'Test', clock });
  await issueNodeIdentity(authority, { site: SITE, node: NODE, dir, validDays: 900 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const open = () => EvidenceSealer.open({ dir, site: SITE, node: NODE, logger });

/** Seals the evidence of event `key` as the worker does. */
function seal(sealer: EvidenceSealer, key: number, head: string | undefined, outboxId = OUTBOX) {
  const event = anEvent(key);
  const facts = buildSealedFacts(event, { scene, softwareVersion: '0.1.0' });
  return sealer.seal(aManifest(key, Buffer.from(`still ${key}`)), { facts, outboxId, head });
}

const verify = (manifest: SealedManifest) => {
  const trust = new SealTrust({ caPem: authority.caPem });
  return verifyManifestSeal(manifest, { trust, receivedAtMs: Date.parse(manifest.createdAt) + 1_000 });
};

it('seals what verifies, each bound to the one before, over a restart as well', async () => {
  const first = seal(await open(), 1, undefined);
  expect(first.manifest.seal).toMatchObject({ chainSeq: 1, previousManifestSha256: null });
  const second = seal(await open(), 2, first.head);
  expect(second.manifest.seal).toMatchObject({
    chainId: first.manifest.seal.chainId,
    chainSeq: 2,
    previousManifestSha256: computeManifestSha256(first.manifest),
  });
  // what was sealed and never stored leaves no trace: the next one takes its place
  expect(seal(await open(), 3, first.head).manifest.seal).toMatchObject({ chainSeq: 2 });
  for (const { manifest } of [first, second]) {
    const { certificate, manifestSha256, witnessedLate } = await verify(manifest);
    expect(certificate.holder).toEqual({ kind: 'node', site: SITE, node: NODE });
    expect([manifestSha256, witnessedLate]).toEqual([computeManifestSha256(manifest), false]);
  }
});

it.each<[string, string | undefined]>([
  ['another outbox', OTHER_OUTBOX],
  ['no outbox before', undefined],
  ['a head that is unreadable', 'unreadable'],
])('begins a new chain after %s', async (_name, before) => {
  const sealer = await open();
  const first = seal(sealer, 1, undefined);
  const head = before === OTHER_OUTBOX ? first.head : before;
  const next = seal(sealer, 2, head, before ?? OUTBOX);
  expect(next.manifest.seal).toMatchObject({ chainSeq: 1, previousManifestSha256: null });
  expect(next.manifest.seal.chainId).not.toBe(first.manifest.seal.chainId);
});

it('takes up a rotated key without a restart, in the same chain', async () => {
  const sealer = await open();
  const first = seal(sealer, 1, undefined);
  await issueNodeIdentity(authority, { site: SITE, node: NODE, dir, validDays: 900, pairs: ['seal'] });
  await sealer.refresh();
  const second = seal(sealer, 2, first.head);
  expect(second.manifest.seal.certificate).not.toBe(first.manifest.seal.certificate);
  expect(second.manifest.seal).toMatchObject({ chainId: first.manifest.seal.chainId, chainSeq: 2 });
  await verify(second.manifest);
});

it('seals the rule as it ran, and binds the event', () => {
  const facts = (event = anEvent(1)) => buildSealedFacts(event, { scene, softwareVersion: '0.1.0' });
  expect(facts().parameters).toMatchObject({ name: 'red-light-north', graceMs: 300, cooldownMs: 60_000 });
  expect(facts(anEvent(1, { clockErrorMs: 21 })).eventSha256).not.toBe(facts().eventSha256);
  // the same decisive moment, found again later
  expect(facts(anEvent(1, { detectedAt: '2025-03-02T00:00:00.000Z' })).eventSha256).toBe(facts().eventSha256);
});

it.each([
  ['an identity', 'nowhere', NODE, /ngatu ca/],
  ['the identity of this node', 'identity', 'gw-2', /not that of q1\/gw-2/],
])('refuses without %s, and says what to do', async (_name, name, node, message) => {
  const opening = EvidenceSealer.open({ dir: join(folder, name), site: SITE, node, logger });
  const error = await opening.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(NgatuError);
  expect((error as NgatuError).code).toBe('IDENTITY_INVALID');
  expect((error as NgatuError).message).toMatch(message);
});
