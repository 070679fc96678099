import { setTimeout as sleep } from 'node:timers/promises';
import { errorMessage, NgatuError } from '@ngatu/contract';
import type { Logger } from 'pino';
import type { EventStore } from '../store/event-store.ts';
import type { EvidenceStore } from '../store/evidence-store.ts';
import type { DueCase } from '../store/privacy-store.ts';
import { findRetentionDays, loadPrivacyPolicy, type PrivacyPolicy } from './privacy-policy.ts';

export interface RetentionParts {
  readonly events: Pick<EventStore, 'privacy' | 'screening'>;
  readonly evidence: Pick<EvidenceStore, 'remove'>;
  readonly clock: { nowMs(): number };
}

export interface RetentionResult {
  /** Cases that were deleted, or that would be. */
  readonly cases: readonly DueCase[];
  readonly filesRemoved: number;
  /** Single passages of fever gates. */
  readonly passages: number;
  /** False where a reader kept the write-ahead log from being emptied: the next run does it. */
  readonly scrubbed: boolean;
}

const BATCH = 200;
const HOUR_MS = 3_600_000;
/** Who deletes by the policy, as tombstones name it. */
const RETENTION_ACTOR = 'retention';

/**
 * Deletes every case whose time is over, then its files, then what is left in the write-ahead log. May be killed at any instant and run
 * again; also goes on with what an earlier run left.
 * @throws NgatuError STORE_UNAVAILABLE, DISK_FULL, PERMISSION_DENIED
 */
export async function runRetentionOnce(
  { events, evidence, clock }: RetentionParts,
  policy: PrivacyPolicy,
  { dryRun = false, signal }: { readonly dryRun?: boolean; readonly signal?: AbortSignal } = {},
): Promise<RetentionResult> {
  const { privacy } = events;
  const rule = (kind: DueCase['kind'], outcome: DueCase['outcome']): number =>
    findRetentionDays(policy, kind, outcome);
  if (dryRun)
    return {
      cases: privacy.listDue(rule, clock.nowMs(), 10_000),
      filesRemoved: 0,
      passages: 0,
      scrubbed: false,
    };
  const cases: DueCase[] = [];
  for (;;) {
    signal?.throwIfAborted();
    const due = privacy.listDue(rule, clock.nowMs(), BATCH);
    for (const one of due) {
      const days = rule(one.kind, one.outcome);
      privacy.erase(one.eventId, {
        cause: 'retention',
        reason: `${one.outcome}: ${days} days are over`,
        erasedBy: RETENTION_ACTOR,
        erasedAt: new Date(clock.nowMs()).toISOString(),
      });
    }
    cases.push(...due);
    if (due.length < BATCH) break;
  }
  const passages = eraseScreening(events, policy, clock.nowMs());
  return { cases, passages, ...(await finishErasures({ events, evidence, clock }, signal)) };
}

function eraseScreening(
  { screening }: Pick<EventStore, 'screening'>,
  { screening: { passageHours, countDays } }: PrivacyPolicy,
  nowMs: number,
): number {
  return screening.erase({
    passages: new Date(nowMs - passageHours * HOUR_MS).toISOString(),
    counts: new Date(nowMs - countDays * 24 * HOUR_MS).toISOString(),
  });
}

/** Removes the files of cases that are deleted already, and empties the write-ahead log. */
export async function finishErasures(
  { events, evidence, clock }: RetentionParts,
  signal?: AbortSignal,
): Promise<Pick<RetentionResult, 'filesRemoved' | 'scrubbed'>> {
  const { privacy } = events;
  let filesRemoved = 0;
  for (
    let files = privacy.listFileErasures(BATCH);
    files.length > 0;
    files = privacy.listFileErasures(BATCH)
  ) {
    for (const sha256 of files) {
      signal?.throwIfAborted();
      if (await evidence.remove(sha256)) filesRemoved += 1;
      privacy.settleFileErasure(sha256);
    }
  }
  return { filesRemoved, scrubbed: privacy.scrub(new Date(clock.nowMs()).toISOString()) };
}

const EVERY_MS = HOUR_MS;
/** What a person ordered is not left lying for an hour, ms. */
const ORDERS_EVERY_MS = 5_000;

/**
 * Deletes by the policy once an hour, and what persons ordered within seconds, until the signal. A policy that cannot be understood
 * deletes nothing, and is logged.
 */
export async function runRetention(
  parts: RetentionParts & { readonly dataDir: string; readonly logger: Logger },
  signal: AbortSignal,
): Promise<void> {
  const { dataDir, logger, clock, events } = parts;
  let nextMs = clock.nowMs();
  let scrubbed = true;
  while (!signal.aborted) {
    try {
      if (clock.nowMs() >= nextMs) {
        nextMs = clock.nowMs() + EVERY_MS;
        const result = await runRetentionOnce(parts, loadPrivacyPolicy(dataDir), { signal });
        scrubbed = result.scrubbed;
        const { cases, filesRemoved: files, passages } = result;
        if (cases.length + passages > 0)
          logger.info({ cases: cases.length, files, passages }, 'cases and passages deleted by age');
      } else if (!scrubbed || events.privacy.listFileErasures(1).length > 0) {
        scrubbed = (await finishErasures(parts, signal)).scrubbed;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof NgatuError)) throw error;
      if (error.code === 'STORE_CORRUPT') throw error;
      logger.error({ code: error.code }, `retention: ${errorMessage(error)}`);
    }
    await sleep(ORDERS_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}
