import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Event, type EvidenceManifest, NgatuError } from '@ngatu/contract';
import {
  computeEventSha256,
  computeManifestSha256,
  createAuthority,
  issueCentreIdentity,
  issueNodeIdentity,
  loadIdentity,
  type SealKey,
  sealManifest,
  toSealKey,
  verifyExport,
} from '@ngatu/trust';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import {
  anEvent,
  anEvidenceFile,
  aPlateFinding,
  openTestCentre,
  PLATE,
  TEST_SITE,
  type TestCentre,
} from '../api/api-test-centre.ts';
import { ReceiptDesk } from '../ingestor/receipt-desk.ts';
import type { Custody } from '../store/receipt-store.ts';
import { exportCases } from './export-cases.ts';

const OUTBOX_ID = '6f1c2f5e-6a57-4b61-9b40-3e0d6f9d2a12';
const CHAIN_ID = '11111111-2222-4333-8444-555555555555';
const SECRET_NAME = 'minh.tran';

let folder: string;
let caPem: string;
let nodeKey: SealKey;
let centre: TestCentre;
let desk: ReceiptDesk;
let seq = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ngatu-export-'));
  const clock = { nowMs: () => Date.UTC(2025, 10, 1) };
  const authority = await createAuthority(join(folder, 'ca'), { name: 'Test province', clock });
  caPem = authority.caPem;
  const centreDir = join(folder, 'centre');
  await issueCentreIdentity(authority, { hosts: ['localhost'], dir: join(centreDir, 'identity') });
  const nodeDir = join(folder, 'node');
  await issueNodeIdentity(authority, { ...TEST_SITE, dir: nodeDir });
  const { seal } = await loadIdentity(nodeDir);
  if (seal === undefined) throw new Error('no seal');
  nodeKey = toSealKey(seal);
  centre = await openTestCentre({ dataDir: centreDir });
  desk = await ReceiptDesk.open({ dir: join(centreDir, 'identity'), logger: pino({ level: 'silent' }) });
});
afterAll(async () => {
  await centre[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  seq += 10;
});

/** The manifest of an event, sealed by the node at a place of its chain. */
function seal(
  event: Event,
  files: EvidenceManifest['files'],
  chainSeq = 1,
  previous: string | null = null,
  chainId = CHAIN_ID,
  plate?: EvidenceManifest['plate'],
) {
  const { eventId, site, node, camera, kind, rule, capturedAt, clockErrorMs, sceneSha256, model } = event;
  const createdAt = new Date(Date.parse(capturedAt) + 8_000).toISOString();
  return sealManifest(
    {
      schemaVersion: 1,
      eventId,
      site,
      node,
      camera,
      createdAt,
      files,
      missing: [],
      ...(plate === undefined ? {} : { plate }),
    },
    {
      key: nodeKey,
      place: { chainId, chainSeq, previousManifestSha256: previous },
      facts: {
        eventSha256: computeEventSha256(event),
        ...{ kind, rule, capturedAt, clockErrorMs, sceneSha256, models: [model] },
        parametersSha256: 'c'.repeat(64),
        parameters: { name: rule, kind },
        softwareVersion: '0.1.0',
      },
    },
  );
}

/** Judges and commits a manifest as the ingestor does. */
async function arrive(manifest: EvidenceManifest, number = seq++): Promise<string> {
  return commit(manifest, await desk.receive(manifest, new Date(centre.clock.nowMs).toISOString()), number);
}

function commit(manifest: EvidenceManifest, custody: Custody, number: number): string {
  const message = { channel: 'evidence', body: manifest, custody } as const;
  const item = { ...TEST_SITE, outboxId: OUTBOX_ID, seq: number, message };
  const [outcome] = centre.events.commit([item], new Date(centre.clock.nowMs).toISOString());
  return outcome?.outcome === 'rejected' ? outcome.code : (outcome?.outcome ?? 'none');
}

const blurred = { recipe: 'blur/1 scope=parts faces=test plates=test', sources: [] };
const picture = (text: string) => Buffer.from(`\xff\xd8 ${text}`, 'latin1');

async function readAll(parts: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const part of parts) all.push(part.slice());
  return new Uint8Array(Buffer.concat(all));
}

it('takes what holds, refuses what does not with a code, and keeps both chain and receipt', async () => {
  const event = anEvent(1);
  const files = [anEvidenceFile(picture('one'), { role: 'still-at', derivation: blurred })];
  const good = seal(event, files);
  const { seal: _seal, ...unsealed } = good;
  expect(await arrive(unsealed)).toBe('SEAL_MISSING');
  expect(await arrive({ ...good, camera: 'another' })).toBe('SEAL_INVALID');
  expect(await arrive({ ...good, node: 'gate-2' })).toBe('SEAL_INVALID');
  expect(centre.events.receipts.find(event.eventId)).toBeUndefined();
  centre.commitEvent(event);
  expect(await arrive(good)).toBe('committed');
  // again under another number, and with a key that was revoked since: it is here, and stays
  expect(await arrive(good)).toBe('committed');
  const refusal = { code: 'CERTIFICATE_REVOKED', reason: 'revoked since' } as const;
  expect(commit(good, { refusal }, seq++)).toBe('committed');
  const record = centre.events.receipts.find(event.eventId);
  expect(record?.manifest).toEqual(good);
  expect(record?.chain).toMatchObject({ chainId: CHAIN_ID, links: 1, lastSeq: 1, gaps: [] });

  // another link at a place that is taken, one that follows nothing that is here, and a hole that shows
  const next = anEvent(2);
  expect(await arrive(seal(next, files))).toBe('CHAIN_CONFLICT');
  expect(await arrive(seal(next, files, 2, 'f'.repeat(64)))).toBe('CHAIN_CONFLICT');
  expect(await arrive(seal(anEvent(4), files, 4, 'f'.repeat(64)))).toBe('committed');
  expect(centre.events.receipts.listChains()).toMatchObject([
    { links: 2, lastSeq: 4, gaps: [{ from: 2, to: 3 }] },
  ]);
  expect(centre.events.receipts.listChains(['elsewhere'])).toEqual([]);
  // what came before fills the hole only where it leads to what came after
  expect(await arrive(seal(anEvent(3), files, 3, 'e'.repeat(64)))).toBe('CHAIN_CONFLICT');
});

it('keeps the place of a manifest that repeats another, so that what follows it in its chain is no gap', async () => {
  const chainId = '22222222-2222-4222-8222-222222222222';
  const event = anEvent(7);
  centre.commitEvent(event);
  const files = [anEvidenceFile(picture('first'), { role: 'still-at', derivation: blurred })];
  const first = seal(event, files, 1, null, '33333333-3333-4333-8333-333333333333');
  expect(await arrive(first)).toBe('committed');
  // the node lost the end of its outbox, and seals the case again in a new chain
  const again = seal(event, [], 1, null, chainId);
  expect(await arrive(again)).toBe('EVENT_CONFLICT');
  const next = anEvent(8);
  centre.commitEvent(next);
  expect(await arrive(seal(next, [], 2, computeManifestSha256(again), chainId))).toBe('committed');
  expect(centre.events.receipts.find(event.eventId)?.manifest).toEqual(first);
  expect(centre.events.receipts.find(next.eventId)?.chain).toMatchObject({ chainId, links: 2, gaps: [] });
});

it('exports a case that verifies, with a sheet for the file and one that may be shown to the road user', async () => {
  const event = anEvent(21, { explanation: { vi: 'Xe <b>máy</b> vượt đèn đỏ.', en: 'Passed on red.' } });
  const safe = picture('blurred');
  const bare = picture('nobody blurred this');
  const clip = picture('original packets');
  const files = [
    anEvidenceFile(safe, { role: 'still-at', derivation: blurred }),
    anEvidenceFile(bare, { role: 'still-before' }),
    anEvidenceFile(clip, { role: 'clip', mediaType: 'video/mp4' }),
  ];
  centre.commitEvent(event);
  const manifest = seal(event, files, 1, null, '99999999-2222-4333-8444-555555555555', aPlateFinding());
  // the reading is sealed with the rest: another one does not pass
  expect(await arrive({ ...manifest, plate: aPlateFinding({ text: '88Z12345' }) })).toBe('SEAL_INVALID');
  expect(await arrive(manifest)).toBe('committed');
  for (const bytes of [safe, bare, clip]) await centre.storeFile(bytes);
  const decidedAt = new Date(centre.clock.nowMs).toISOString();
  const review = { decision: 'confirmed', reason: 'Rõ ràng', reviewer: SECRET_NAME, decidedAt } as const;
  centre.events.appendReview(event.eventId, review, 0);

  const request = {
    dataDir: centre.dataDir,
    eventIds: [event.eventId],
    reason: 'Khiếu nại',
    exportedAt: decidedAt,
    exportedBy: 'lan.nguyen',
    softwareVersion: '0.1.0',
  };
  await using closed = await exportCases({ ...request, withOriginals: false });
  const without = await readAll(closed.bytes);
  expect((await verifyExport(without, { caPem })).verdict).toBe('verified');
  await using open = await exportCases({ ...request, withOriginals: true });
  const report = await verifyExport(await readAll(open.bytes), { caPem });
  expect(report.verdict).toBe('verified');
  expect(report.index?.events[0]?.files.map(({ state }) => state)).toEqual([
    'included',
    'included',
    'included',
  ]);

  const text = new TextDecoder().decode(without);
  const full = text.slice(text.indexOf('<!doctype html>'), text.indexOf('</html>'));
  const citizen = text.slice(text.lastIndexOf('<!doctype html>'), text.lastIndexOf('</html>'));
  const base64 = (bytes: Buffer): string => bytes.toString('base64');
  for (const word of [
    ...['Vượt đèn đỏ', 'Điều 7 khoản 7', '± 40 ms', SECRET_NAME, 'Rõ ràng', 'không kèm theo', base64(bare)],
    ...['99Z-999.99', '98 %', '89Z99999 (1 %)', 'Chưa có ai xác nhận biển số'],
  ])
    expect(full).toContain(word);
  // what a node or a person wrote is text
  expect(full).toContain('Xe &lt;b&gt;máy&lt;/b&gt;');
  expect(citizen).toContain(base64(safe));
  expect(citizen).toContain('Điều 7 khoản 7');
  // what nobody has looked at may be a stranger's
  expect(citizen).toContain('99Z-•••99');
  for (const word of [base64(bare), SECRET_NAME, 'Rõ ràng', 'lan.nguyen', 'Khiếu nại', PLATE, '99Z-999.99'])
    expect(citizen).not.toContain(word);
  for (const sheet of [full, citizen]) expect(sheet).not.toMatch(/<script|https?:\/\/|src="(?!data:)/);
  expect(centre.deps.audit.list(10)).toContainEqual(
    expect.objectContaining({
      action: 'case-export',
      target: event.eventId,
      actor: 'lan.nguyen',
      reason: 'Khiếu nại',
    }),
  );
});

it('exports nothing of a case that carries no seal', async () => {
  const event = anEvent(31);
  centre.commitEvent(event);
  const request = {
    ...{ dataDir: centre.dataDir, reason: 'Khiếu nại', exportedBy: 'lan.nguyen', withOriginals: false },
    exportedAt: new Date(centre.clock.nowMs).toISOString(),
  };
  const codeOf = (eventIds: string[]) =>
    exportCases({ ...request, eventIds }).then(
      () => 'exported',
      (error: unknown) => (error instanceof NgatuError ? error.code : String(error)),
    );
  expect(await codeOf([event.eventId])).toBe('SEAL_MISSING');
  expect(await codeOf([`ev-${'0'.repeat(31)}f`])).toBe('NOT_FOUND');
  expect(await codeOf([])).toBe('EXPORT_INVALID');
});
