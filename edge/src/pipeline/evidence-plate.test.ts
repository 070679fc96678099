import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EvidenceManifest } from '@ngatu/contract';
import { createAuthority, isSealed, issueNodeIdentity } from '@ngatu/trust';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { EvidenceFiles } from '../evidence/evidence-files.ts';
import { EvidenceSealer } from '../evidence/seal-chain.ts';
import { buildSealedFacts } from '../evidence/seal-facts.ts';
import { Outbox } from '../outbox/outbox.ts';
import type { RuleMatch } from '../rules/rule.ts';
import { aFrameMark, anObservation, aScene } from '../testing/builder.ts';
import { buildEvent } from './event-builder.ts';
import { encodeEvidenceContext } from './evidence-context.ts';
import { type EvidenceWorkerOptions, runEvidenceWorker } from './evidence-worker.ts';

const ORIGIN = { site: 'hanoi', node: 'gate-1' };
const logger = pino({ level: 'silent' });
const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };

let folder: string;
let sealer: EvidenceSealer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ngatu-evidence-plate-'));
  const authority = await createAuthority(join(folder, 'ca'), { name: 'Test province', clock });
  const dir = join(folder, 'identity');
  await issueNodeIdentity(authority, { ...ORIGIN, dir });
  sealer = await EvidenceSealer.open({ dir, ...ORIGIN, logger });
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

function anEvent(label: RuleMatch['label']) {
  const scene = aScene({
    rules: [{ name: 'red-light-north', kind: 'RED_LIGHT', stopLine: 'stop-line', signal: 'main' }],
  });
  const match: RuleMatch = {
    ...{ rule: 'red-light-north', kind: 'RED_LIGHT', trackId: 7, label, alternatives: [] },
    observation: anObservation({
      frame: aFrameMark({ index: 42, mediaTimeMs: 3_360 }),
      box: [64, 96, 128, 240],
    }),
    ...{ measures: {}, explanation: { vi: 'x', en: 'x' } },
  };
  const event = buildEvent(match, {
    ...{ ...ORIGIN, camera: 'north', session: 's1', sourceWidth: 640, sourceHeight: 480, clockErrorMs: 10 },
    ...{ model: { name: 'net', sha256: 'a'.repeat(64) }, scene, sceneSha256: 'b'.repeat(64) },
  });
  return { event, facts: buildSealedFacts(event, { scene, softwareVersion: '1' }) };
}

/** What is sealed of an event whose camera is gone. */
async function sealOne(
  label: RuleMatch['label'],
  plates: Partial<Pick<EvidenceWorkerOptions, 'plates'>>,
): Promise<EvidenceManifest> {
  const dir = await mkdtemp(join(folder, 'node-'));
  using outbox = Outbox.open({
    file: join(dir, 'outbox.sqlite'),
    maxBytes: 1e6,
    origin: ORIGIN,
    clock,
    logger,
  }).outbox;
  const context = anEvent(label);
  const { eventId } = context.event;
  const moment = { session: 's1', mediaTimeMs: 3_360, capturedAtMs: 0 };
  outbox.append([], {
    evidenceJobs: [{ eventId, camera: 'north', ...moment, context: encodeEvidenceContext(context) }],
  });
  const append = vi.spyOn(outbox, 'append');
  const stop = new AbortController();
  const running = runEvidenceWorker(
    {
      ...{ ...ORIGIN, outbox, clock, logger, sealer, rings: new Map(), roadUsers: new Map(), ...plates },
      evidence: { beforeMs: 0, afterMs: 0, stillOffsetMs: 0, retentionDays: 1, maxBytes: 1e6 },
      files: await EvidenceFiles.open(join(dir, 'evidence')),
      pictures: { make: () => expect.unreachable() },
    },
    stop.signal,
  );
  await vi.waitFor(() => expect(outbox.listEvidenceJobs(1)).toEqual([]), { timeout: 20_000 });
  stop.abort();
  await running;
  const [message] = append.mock.calls[0]?.[0] ?? [];
  return message?.body as EvidenceManifest;
}

const desk = { readPlate: () => expect.unreachable() };

it('seals with the manifest why no plate was read, and nothing where none was to be read', {
  timeout: 60_000,
}, async () => {
  const gone = await sealOne('motorbike', { plates: () => ({ desk, maxFrames: 8 }) });
  expect(isSealed(gone)).toBe(true);
  expect(gone.plate).toMatchObject({ state: 'not-read', reason: 'recording-missing' });
  expect(gone.missing.map(({ role }) => role)).toEqual([
    ...['still-before', 'still-at', 'still-after', 'subject-crop', 'preview', 'clip'],
  ]);
  const missing = await sealOne('car', { plates: () => 'model-missing' });
  expect(missing.plate).toMatchObject({ state: 'not-read', reason: 'model-missing' });
  expect(await sealOne('person', { plates: () => 'model-missing' })).not.toHaveProperty('plate');
  expect(await sealOne('car', {})).not.toHaveProperty('plate');
});
