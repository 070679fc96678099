import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NgatuError } from '@ngatu/contract';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { EvidenceFiles } from '../evidence/evidence-files.ts';
import { Outbox } from '../outbox/outbox.ts';
import { runEvidenceWorker } from './evidence-worker.ts';

const logger = pino({ level: 'silent' });
const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ngatu-evidence-worker-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('waits for a disk that refuses, and counts only what the job itself does', {
  timeout: 30_000,
}, async () => {
  const origin = { site: 'q1', node: 'gw-1' };
  const file = join(folder, 'outbox.sqlite');
  using outbox = Outbox.open({ file, maxBytes: 1e6, origin, clock, logger }).outbox;
  const job = { eventId: 'ev-1', camera: 'cam-1', session: 's', mediaTimeMs: 0, capturedAtMs: 0 };
  outbox.append([], { evidenceJobs: [job] });
  const full = new NgatuError('DISK_FULL', 'Cannot use outbox: database or disk is full', {
    retryable: true,
  });
  const count = vi.spyOn(outbox, 'countEvidenceAttempt').mockImplementationOnce(() => {
    throw full;
  });
  const append = vi.spyOn(outbox, 'append').mockImplementationOnce(() => {
    throw full;
  });
  const stop = new AbortController();
  const running = runEvidenceWorker(
    {
      ...{ ...origin, outbox, clock, logger, rings: new Map(), roadUsers: new Map() },
      evidence: {
        beforeMs: 0,
        afterMs: 0,
        stillOffsetMs: 0,
        retentionDays: 1,
        maxBytes: 1e6,
      },
      files: await EvidenceFiles.open(join(folder, 'evidence')),
      sealer: { refresh: () => Promise.resolve(), seal: () => expect.unreachable() },
      pictures: { make: () => expect.unreachable() },
    },
    stop.signal,
  );
  await vi.waitFor(() => expect(outbox.listEvidenceJobs(1)).toEqual([]), { timeout: 20_000 });
  stop.abort();
  await running;
  expect(append).toHaveBeenCalledTimes(2);
  // The refused count and the one that counted: the refused end was no attempt of its own.
  expect(count).toHaveBeenCalledTimes(2);
  expect(count.mock.results.map(({ type }) => type)).toEqual(['throw', 'return']);
});
