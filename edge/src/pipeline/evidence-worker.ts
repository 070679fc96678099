import { setTimeout as sleep } from 'node:timers/promises';
import {
  buildPlateAbsence,
  computeEventSeverity,
  EVENT_SEVERITIES,
  EVIDENCE_ROLES,
  type Event,
  type EvidenceFile,
  errorMessage,
  type GatewayProfile,
  isOriginalRole,
  NgatuError,
} from '@ngatu/contract';
import type { Logger } from 'pino';
import type { EvidenceFiles } from '../evidence/evidence-files.ts';
import { type EvidenceResult, makeEvidence } from '../evidence/evidence-job.ts';
import type { PictureMaker } from '../evidence/picture-job.ts';
import { PLATE_ROLES, type PlateReadingOptions } from '../evidence/plate-evidence.ts';
import type { RoadUserLog } from '../evidence/road-user-sight.ts';
import { CHAIN_MARK, type EvidenceSealer } from '../evidence/seal-chain.ts';
import type { SegmentRing } from '../evidence/segment-ring.ts';
import type { NewUpload, Outbox, PendingEvidenceJob } from '../outbox/outbox.ts';
import { decodeEvidenceContext, describeSubject } from './evidence-context.ts';

export interface EvidenceWorkerOptions {
  readonly site: string;
  readonly node: string;
  readonly evidence: GatewayProfile['evidence'];
  readonly outbox: Outbox;
  readonly files: EvidenceFiles;
  readonly sealer: Pick<EvidenceSealer, 'refresh' | 'seal'>;
  /** The ring of each camera by its name. */
  readonly rings: ReadonlyMap<string, SegmentRing>;
  readonly pictures: PictureMaker;
  /** How plates are read; `model-missing` where they should be and cannot, absent where they are not to be read. */
  readonly plates?: () => PlateReadingOptions | 'model-missing';
  /** Who each camera saw lately, by its name. */
  readonly roadUsers: ReadonlyMap<string, RoadUserLog>;
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
  let attempts: number | undefined;
  while (!signal.aborted) {
    try {
      attempts ??= outbox.countEvidenceAttempt(job.eventId);
      const result =
        attempts > MAX_ATTEMPTS ? explainGivenUp(attempts) : await produceEvidence(options, job, signal);
      await options.sealer.refresh();
      finishJob(options, job, result);
      logger.info(
        { eventId: job.eventId, files: result.files.length, missing: result.missing.length },
        'evidence',
      );
      return;
    } catch (error) {
      if (signal.aborted) return;
      const code = error instanceof NgatuError ? error.code : 'INTERNAL';
      logger.warn({ eventId: job.eventId, attempts, code }, `evidence failed: ${errorMessage(error)}`);
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
      // A disk that is full for a minute says nothing against the job: only what the job itself does is counted.
      if (!isDiskRefusal(error)) return;
    }
  }
}

/** The outbox speaks in codes, the file system in its own. */
function isDiskRefusal(error: unknown): boolean {
  if (error instanceof NgatuError) return error.code === 'DISK_FULL' || error.code === 'OUTBOX_FULL';
  const refusals: unknown[] = ['ENOSPC', 'EDQUOT', 'EIO'];
  return error instanceof Error && 'code' in error && refusals.includes(error.code);
}

async function produceEvidence(
  options: EvidenceWorkerOptions,
  job: PendingEvidenceJob,
  signal: AbortSignal,
): Promise<EvidenceResult> {
  const { rings, evidence, files, outbox, pictures, roadUsers } = options;
  const plates = options.plates?.();
  const ring = rings.get(job.camera);
  if (ring === undefined)
    return missAll(`camera "${job.camera}" is no longer configured`, 'recording-missing');
  const { session, mediaTimeMs, capturedAtMs } = job;
  const moment = { session, mediaTimeMs, capturedAtMs };
  const context = decodeEvidenceContext(outbox.evidenceContext(job.eventId));
  return makeEvidence(
    {
      ...{ moment, ...evidence, deadlineMs: DEADLINE_MS, ring, files, pictures },
      ...(context === undefined ? {} : { subject: describeSubject(context.event) }),
      ...(typeof plates === 'object' ? { plates } : {}),
      listSights: (fromMs, toMs) => roadUsers.get(job.camera)?.list(session, fromMs, toMs) ?? [],
    },
    signal,
  );
}

/**
 * The sealed manifest, the new head of its chain, the uploads and the end of the job are one transaction: however the process ends,
 * the chain is neither forked nor has it a hole.
 */
function finishJob(options: EvidenceWorkerOptions, job: PendingEvidenceJob, result: EvidenceResult): void {
  const { site, node, outbox, clock, sealer, logger } = options;
  const { eventId, camera } = job;
  const context = decodeEvidenceContext(outbox.evidenceContext(eventId));
  if (context?.facts === undefined) {
    // only a job of a version before seals, caught by the change of version
    logger.error(
      { eventId, code: 'SEAL_MISSING' },
      'evidence without the facts of its event cannot be sealed',
    );
    outbox.append([], { finishedEvidenceJobs: [eventId] });
    return;
  }
  const createdAt = new Date(clock.nowMs()).toISOString();
  const { manifest, head } = sealer.seal(
    {
      ...{ schemaVersion: 1, eventId, site, node, camera, createdAt },
      ...settlePlate(options, context.event, result),
    },
    { facts: context.facts, outboxId: outbox.outboxId, head: outbox.mark(CHAIN_MARK) },
  );
  outbox.append([{ channel: 'evidence', body: manifest }], {
    finishedEvidenceJobs: [eventId],
    uploads: describeUploads(options, context.event, result.files),
    marks: { [CHAIN_MARK]: head },
  });
}

/** What is derived goes at once, and so does the original where no preview shows what happened. */
function describeUploads(
  { files, clock }: EvidenceWorkerOptions,
  event: Event,
  evidence: readonly EvidenceFile[],
): NewUpload[] {
  const hasPreview = evidence.some(({ role }) => role === 'preview');
  return evidence.map(({ sha256, sizeBytes, role }) => ({
    ...{ sha256, sizeBytes, role },
    eventId: event.eventId,
    path: files.path(sha256),
    class: isOriginalRole(role) ? 'original' : 'derived',
    priority: EVENT_SEVERITIES.indexOf(computeEventSeverity(event)),
    ...(isOriginalRole(role) && !hasPreview ? { wantedAtMs: clock.nowMs() } : {}),
  }));
}

function explainGivenUp(attempts: number): EvidenceResult {
  return missAll(`given up after ${attempts - 1} attempts`, 'process-failed');
}

/** Of a plate the finding says what is missing. */
function missAll(reason: string, plateReason: 'recording-missing' | 'process-failed'): EvidenceResult {
  const roles = EVIDENCE_ROLES.filter((role) => !PLATE_ROLES.some((plateRole) => plateRole === role));
  return {
    files: [],
    missing: roles.map((role) => ({ role, reason })),
    plate: buildPlateAbsence(plateReason),
  };
}

/** What is sealed of the plate: nothing where none was to be read, and why not where it could not be. */
function settlePlate(
  { plates: askPlates }: EvidenceWorkerOptions,
  { subject: { label } }: Event,
  { plate, ...result }: EvidenceResult,
): EvidenceResult {
  if (askPlates === undefined || label === 'person' || label === 'bicycle') return result;
  const wasLooked = plate !== undefined && plate.state !== 'not-read';
  if (!wasLooked && askPlates() === 'model-missing')
    return { ...result, plate: buildPlateAbsence('model-missing') };
  return plate === undefined ? result : { ...result, plate };
}
