import { setTimeout as sleep } from 'node:timers/promises';
import {
  EVIDENCE_ROLES,
  type EvidenceManifest,
  errorMessage,
  type GatewayProfile,
  NgatuError,
} from '@ngatu/contract';
import type { Logger } from 'pino';
import type { EvidenceFiles } from '../evidence/evidence-files.ts';
import { type EvidenceResult, makeEvidence } from '../evidence/evidence-job.ts';
import type { SegmentRing } from '../evidence/segment-ring.ts';
import type { Outbox, PendingEvidenceJob } from '../outbox/outbox.ts';

export interface EvidenceWorkerOptions {
  readonly site: string;
  readonly node: string;
  readonly evidence: GatewayProfile['evidence'];
  readonly outbox: Outbox;
  readonly files: EvidenceFiles;
  /** The ring of each camera by its name. */
  readonly rings: ReadonlyMap<string, SegmentRing>;
  readonly clock: { nowMs(): number };
  readonly logger: Logger;
}

/** Jobs under way at the same time: most of them wait for their ring. */
const CONCURRENCY = 4;
/** A job that failed this often, or took its process down with it, is closed with what is missing. */
const MAX_ATTEMPTS = 5;
/** After this long the evidence is made from what is there, ms. */
const DEADLINE_MS = 60_000;
const RETRY_MS = 2_000;

const DAY_MS = 24 * 3600 * 1000;
const PRUNE_INTERVAL_MS = 3600 * 1000;

/** Removes evidence that the centre has had for the profile's retention, once an hour, until the signal. */
export async function runEvidenceRetention(
  { evidence, files, outbox, clock, logger }: EvidenceWorkerOptions,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const beforeMs = clock.nowMs() - evidence.retentionDays * DAY_MS;
    const removed = await files.prune(beforeMs, (sha256) => outbox.holdsUpload(sha256));
    if (removed > 0)
      logger.info({ removed, retentionDays: evidence.retentionDays }, 'evidence removed by age');
    await sleep(PRUNE_INTERVAL_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** Makes the evidence of appended events, also of those that an earlier process left behind, until the signal. */
export async function runEvidenceWorker(options: EvidenceWorkerOptions, signal: AbortSignal): Promise<void> {
  const running = new Map<string, Promise<void>>();
  let wake = (): void => undefined;
  const onStop = (): void => wake();
  const stopListening = options.outbox.onAppend(() => wake());
  signal.addEventListener('abort', onStop, { once: true });
  try {
    while (!signal.aborted) {
      const woken = new AbortController();
      wake = () => woken.abort();
      for (const job of options.outbox.listEvidenceJobs(CONCURRENCY)) {
        if (running.has(job.eventId) || running.size >= CONCURRENCY) continue;
        const done = runJob(options, job, signal).finally(() => {
          running.delete(job.eventId);
          wake();
        });
        running.set(job.eventId, done);
      }
      await sleep(RETRY_MS, undefined, { signal: woken.signal }).catch(() => undefined);
    }
  } finally {
    stopListening();
    signal.removeEventListener('abort', onStop);
    await Promise.allSettled(running.values());
  }
}

async function runJob(
  options: EvidenceWorkerOptions,
  job: PendingEvidenceJob,
  signal: AbortSignal,
): Promise<void> {
  const { outbox, logger } = options;
  const attempts = outbox.countEvidenceAttempt(job.eventId);
  try {
    const result =
      attempts > MAX_ATTEMPTS ? explainGivenUp(attempts) : await produceEvidence(options, job, signal);
    finishJob(options, job, result);
    logger.info(
      { eventId: job.eventId, files: result.files.length, missing: result.missing.length },
      'evidence',
    );
  } catch (error) {
    if (signal.aborted) return;
    const code = error instanceof NgatuError ? error.code : 'INTERNAL';
    logger.warn({ eventId: job.eventId, attempts, code }, `evidence failed: ${errorMessage(error)}`);
    await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function produceEvidence(
  { rings, evidence, files }: EvidenceWorkerOptions,
  job: PendingEvidenceJob,
  signal: AbortSignal,
): Promise<EvidenceResult> {
  const ring = rings.get(job.camera);
  if (ring === undefined)
    return { files: [], missing: missingAll(`camera "${job.camera}" is no longer configured`) };
  const { session, mediaTimeMs, capturedAtMs } = job;
  const moment = { session, mediaTimeMs, capturedAtMs };
  return makeEvidence({ moment, ...evidence, deadlineMs: DEADLINE_MS, ring, files }, signal);
}

/** The manifest, its uploads and the end of the job are one transaction. */
function finishJob(options: EvidenceWorkerOptions, job: PendingEvidenceJob, result: EvidenceResult): void {
  const { site, node, outbox, files, clock } = options;
  const body: EvidenceManifest = {
    schemaVersion: 1,
    eventId: job.eventId,
    site,
    node,
    camera: job.camera,
    createdAt: new Date(clock.nowMs()).toISOString(),
    ...result,
  };
  const uploads = result.files.map(({ sha256, sizeBytes }) => ({
    sha256,
    sizeBytes,
    path: files.path(sha256),
  }));
  outbox.append([{ channel: 'evidence', body }], { finishedEvidenceJobs: [job.eventId], uploads });
}

function explainGivenUp(attempts: number): EvidenceResult {
  return { files: [], missing: missingAll(`given up after ${attempts - 1} attempts`) };
}

function missingAll(reason: string): EvidenceResult['missing'] {
  return EVIDENCE_ROLES.map((role) => ({ role, reason }));
}
