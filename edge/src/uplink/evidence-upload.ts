import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { buildEvidencePath, type ErrorCode, errorMessage, NgatuError } from '@ngatu/contract';
import type { Logger } from 'pino';
import { computeBackoffMs, pause } from './backoff.ts';
import { type HttpAnswer, sendHttp } from './http-exchange.ts';

export interface UploadEntry {
  readonly sha256: string;
  readonly path: string;
  readonly sizeBytes: number;
}

/** What the upload needs of the outbox. */
export interface UploadQueue {
  listUploads(limit: number): UploadEntry[];
  removeUpload(sha256: string): void;
  refuseUpload(sha256: string, code: ErrorCode, reason: string): void;
  onAppend(listener: () => void): () => void;
}

export interface EvidenceUploadOptions {
  readonly queue: UploadQueue;
  /** Address of the ingestor, `http(s)://host:port`, below which `buildEvidencePath` lies. */
  readonly url: string;
  readonly token: string;
  readonly logger: Logger;
  readonly clock: { monotonicMs(): number };
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** No byte moved for this long ends an exchange, ms. */
  readonly idleTimeoutMs?: number;
}

/** Files looked at in one round; the rest wait their turn on disk. */
const ROUND = 32;
const LISTED = 1_000;
const RETRY = { firstMs: 500, capMs: 30_000 };
/** The manifest travels by another way than the file and may come a moment later. */
const RETRY_UNKNOWN = { firstMs: 200, capMs: 5_000 };
/** A new round at least this often, ms: also without a new file, one may have become due. */
const ROUND_INTERVAL_MS = 1_000;
const IDLE_TIMEOUT_MS = 15_000;
/** Bytes that arrive wrong so often are wrong on this disk. */
const DIGEST_MISMATCHES_MAX = 3;

type Outcome =
  | { readonly outcome: 'sent' }
  | {
      readonly outcome: 'refused' | 'later' | 'unavailable';
      readonly code: ErrorCode;
      readonly reason: string;
    };

interface Retry {
  attempts: number;
  mismatches: number;
  dueAtMs: number;
}

/**
 * Sends evidence files to the centre, one after another, until `signal` aborts. An upload leaves the queue only when the
 * centre has answered that it holds the verified file; one that can never succeed is set aside with its reason.
 */
export async function runEvidenceUpload(options: EvidenceUploadOptions, signal: AbortSignal): Promise<void> {
  const { queue, clock, random, logger } = options;
  const retries = new Map<string, Retry>();
  while (!signal.aborted) {
    const entries = queue.listUploads(LISTED).filter(({ sha256 }) => {
      return (retries.get(sha256)?.dueAtMs ?? 0) <= clock.monotonicMs();
    });
    for (const entry of entries.slice(0, ROUND)) {
      const result = await uploadOne(entry, options, signal);
      if (signal.aborted) return;
      if (result.outcome === 'sent') {
        queue.removeUpload(entry.sha256);
        retries.delete(entry.sha256);
        continue;
      }
      const retry = retries.get(entry.sha256) ?? { attempts: 0, mismatches: 0, dueAtMs: 0 };
      retries.set(entry.sha256, retry);
      if (result.code === 'EVIDENCE_DIGEST_MISMATCH') retry.mismatches++;
      if (result.outcome === 'refused' || retry.mismatches >= DIGEST_MISMATCHES_MAX) {
        logger.error({ sha256: entry.sha256, code: result.code }, result.reason);
        queue.refuseUpload(entry.sha256, result.code, result.reason);
        retries.delete(entry.sha256);
        continue;
      }
      logger.debug({ sha256: entry.sha256, code: result.code }, result.reason);
      const limits = result.outcome === 'later' ? RETRY_UNKNOWN : RETRY;
      retry.dueAtMs = clock.monotonicMs() + computeBackoffMs(retry.attempts++, limits, random);
      // The centre itself is away: the next file would fare no better.
      if (result.outcome === 'unavailable') break;
    }
    await waitForWork(queue, retries, clock, signal);
  }
}

async function waitForWork(
  queue: UploadQueue,
  retries: ReadonlyMap<string, Retry>,
  clock: { monotonicMs(): number },
  signal: AbortSignal,
): Promise<void> {
  const due = [...retries.values()].map(({ dueAtMs }) => dueAtMs - clock.monotonicMs());
  const waitMs = Math.max(10, Math.min(ROUND_INTERVAL_MS, ...due));
  const woken = new AbortController();
  const wake = (): void => woken.abort();
  const stopListening = queue.onAppend(wake);
  signal.addEventListener('abort', wake, { once: true });
  try {
    await pause(waitMs, woken.signal);
  } finally {
    stopListening();
    signal.removeEventListener('abort', wake);
  }
}

async function uploadOne(
  entry: UploadEntry,
  { url, token, idleTimeoutMs = IDLE_TIMEOUT_MS }: EvidenceUploadOptions,
  signal: AbortSignal,
): Promise<Outcome> {
  const size = await stat(entry.path).then(
    (found) => found.size,
    () => undefined,
  );
  if (size !== entry.sizeBytes) {
    const reason = `Cannot upload evidence "${entry.path}": ${size === undefined ? 'not there' : `${size} bytes`}, expected ${entry.sizeBytes} bytes`;
    return { outcome: 'refused', code: 'FILE_UNREADABLE', reason };
  }
  const target = new URL(buildEvidencePath(entry.sha256), url);
  const exchange = { target, token, idleTimeoutMs };
  try {
    const known = await sendHttp({ ...exchange, method: 'HEAD' }, signal);
    if (known.status >= 200 && known.status < 300) return { outcome: 'sent' };
    const body = () => createReadStream(entry.path);
    return judgeAnswer(entry, await sendHttp({ ...exchange, method: 'PUT', body, sizeBytes: size }, signal));
  } catch (error) {
    const reason = `Cannot upload evidence to ${target.origin}: ${errorMessage(error)}`;
    const code = error instanceof NgatuError ? error.code : 'UPLOAD_FAILED';
    return { outcome: 'unavailable', code, reason };
  }
}

function judgeAnswer(entry: UploadEntry, { status, code }: HttpAnswer): Outcome {
  if (status >= 200 && status < 300) return { outcome: 'sent' };
  const reason =
    `Cannot upload evidence ${entry.sha256}: the centre answered ${status} ${code ?? ''}`.trimEnd();
  if (code === 'EVIDENCE_UNKNOWN' || code === 'EVIDENCE_DIGEST_MISMATCH')
    return { outcome: 'later', code, reason };
  if (code === 'EVIDENCE_TOO_LARGE') return { outcome: 'refused', code, reason };
  return { outcome: 'unavailable', code: 'UPLOAD_FAILED', reason };
}
