import type { ErrorCode } from '@ngatu/contract';
import { computeBackoffMs } from './backoff.ts';

const CENTRE = { firstMs: 500, capMs: 30_000 };
/** The manifest travels by another way than the file and may come a moment later. */
const FILE = { firstMs: 200, capMs: 5_000 };
/** Bytes that arrive wrong so often are wrong on this disk. */
const DIGEST_MISMATCHES_MAX = 3;

interface FileRetry {
  attempts: number;
  mismatches: number;
  dueAtMs: number;
}

/** When what failed may be tried again: a file by itself, or everything while the centre is away. Times are monotonic, ms. */
export class UploadRetries {
  /** Uniform in [0, 1). */
  readonly #random: () => number;
  readonly #files = new Map<string, FileRetry>();
  #centreAttempts = 0;
  #centreDueMs = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  isCentreDue(nowMs: number): boolean {
    return nowMs >= this.#centreDueMs;
  }

  isFileDue(sha256: string, nowMs: number): boolean {
    return nowMs >= (this.#files.get(sha256)?.dueAtMs ?? 0);
  }

  /** The earliest time after `nowMs` at which something becomes due; undefined where nothing waits. */
  nextDueMs(nowMs: number): number | undefined {
    const due = [this.#centreDueMs, ...[...this.#files.values()].map(({ dueAtMs }) => dueAtMs)];
    const later = due.filter((at) => at > nowMs);
    return later.length === 0 ? undefined : Math.min(...later);
  }

  noteSuccess(): void {
    this.#centreAttempts = 0;
    this.#centreDueMs = 0;
  }

  /** Flows that fail together count as one failure. */
  noteUnavailable(nowMs: number): void {
    if (!this.isCentreDue(nowMs)) return;
    this.#centreDueMs = nowMs + computeBackoffMs(this.#centreAttempts++, CENTRE, this.#random);
  }

  /** False where the file has failed for good. */
  noteFile(sha256: string, code: ErrorCode, nowMs: number): boolean {
    const retry = this.#files.get(sha256) ?? { attempts: 0, mismatches: 0, dueAtMs: 0 };
    this.#files.set(sha256, retry);
    if (code === 'EVIDENCE_DIGEST_MISMATCH') retry.mismatches++;
    retry.dueAtMs = nowMs + computeBackoffMs(retry.attempts++, FILE, this.#random);
    return retry.mismatches < DIGEST_MISMATCHES_MAX;
  }

  forget(sha256: string): void {
    this.#files.delete(sha256);
  }
}
