import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorMessage, NgatuError, type Telemetry } from '@ngatu/contract';
import type { Logger } from 'pino';
import type { Outbox } from '../outbox/outbox.ts';
import type { ByteAccount } from '../uplink/byte-account.ts';

interface ReportOptions {
  readonly site: string;
  readonly node: string;
  readonly outbox: Outbox;
  readonly account: ByteAccount;
  /** Bytes of evidence files sent since the start of the agent, by class. */
  readonly uploads: { readonly sentBytes: Readonly<Record<string, number>> };
  readonly clock: { nowMs(): number };
  readonly logger: Logger;
}

/** How often the node reports what it sent and what waits, ms. */
const REPORT_EVERY_MS = 300_000;
/** How often the evidence on the disk is held against its budget, ms. */
const BUDGET_EVERY_MS = 60_000;

/** Reports the bytes sent by class and camera, and what waits, as telemetry of the node; also at the end, so that little is missed. */
export async function runDeliveryReport(options: ReportOptions, signal: AbortSignal): Promise<void> {
  const counted = new Map<string, number>();
  while (!signal.aborted) {
    await sleep(REPORT_EVERY_MS, undefined, { signal }).catch(() => undefined);
    for (const [name, bytes] of Object.entries(options.uploads.sentBytes)) {
      const sent = bytes - (counted.get(name) ?? 0);
      if (sent > 0) options.account.add({ class: `file-${name}`, bytes: sent });
      counted.set(name, bytes);
    }
    report(options);
  }
}

function report({ site, node, outbox, account, clock, logger }: ReportOptions): void {
  const nowMs = clock.nowMs();
  const at = new Date(nowMs).toISOString();
  const usage = outbox.pending();
  const body: Telemetry = {
    schemaVersion: 1,
    site,
    node,
    intervals: [],
    measurements: [
      ...account.cut(nowMs),
      { at, metric: 'outboxWaiting', value: usage.entries },
      { at, metric: 'outboxWaitingBytes', value: usage.bytes },
      { at, metric: 'uploadsWaiting', value: usage.uploadsPending },
      { at, metric: 'evidenceBytes', value: usage.evidenceBytes },
    ],
  };
  try {
    outbox.append([{ channel: 'telemetry', body }]);
  } catch (error) {
    if (!(error instanceof NgatuError) || !error.retryable) throw error;
    logger.error({ code: error.code }, `bytes sent not reported: ${error.message}`);
  }
}

/** Keeps the evidence files on this disk within `maxBytes`: the least needed go first, and what the centre will never get is listed. */
export async function runEvidenceBudget(
  { outbox, maxBytes, logger }: Pick<ReportOptions, 'outbox' | 'logger'> & { readonly maxBytes: number },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const released = outbox.releaseEvidence({ maxBytes });
    for (const { path } of released) {
      await rm(path, { force: true }).catch((error: unknown) => {
        logger.error({ path, error: errorMessage(error) }, 'evidence file not removed');
      });
    }
    if (released.length > 0) {
      const bytes = released.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      logger.warn({ files: released.length, bytes, maxBytes }, 'evidence removed: its budget is spent');
    }
    await sleep(BUDGET_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}
