import {
  type EvidenceFile,
  NgatuError,
  type ReceivedPart,
  UPLOAD_PART_MIN_BYTES,
  type UploadPart,
} from '@ngatu/contract';
import type { Logger } from 'pino';
import type { EventStore } from '../store/event-store.ts';
import type { EvidenceStore } from '../store/evidence-store.ts';
import type { UploadParts } from './upload-parts.ts';

export interface UploadDeskParts {
  readonly events: Pick<EventStore, 'findEvidence' | 'markEvidenceArrived' | 'transfers'>;
  readonly evidence: Pick<EvidenceStore, 'put' | 'open'>;
  readonly parts: UploadParts;
  readonly logger: Logger;
  readonly clock: { nowMs(): number };
}

/** What has not grown for this long is given up: a file that may travel at night only needs several nights, ms. */
const EXPIRY_MS = 7 * 24 * 3_600_000;
const EXPIRY_CHECK_MS = 3_600_000;
const PROGRESS_EVERY_MS = 1_000;

/** Which evidence files may come, what has come of them, and when they are whole. */
export class UploadDesk {
  readonly #deps: UploadDeskParts;
  readonly #assembling = new Map<string, Promise<boolean>>();
  /** Bytes that came since the last note, by digest. */
  readonly #fresh = new Map<string, number>();

  constructor(deps: UploadDeskParts) {
    this.#deps = deps;
  }

  /** @throws NgatuError EVIDENCE_UNKNOWN (retryable: the manifest may come later) */
  requireAnnounced(sha256: string): EvidenceFile {
    const announced = this.#deps.events.findEvidence(sha256);
    if (announced !== undefined) return announced.file;
    throw new NgatuError('EVIDENCE_UNKNOWN', `Cannot take evidence ${sha256}: no manifest announced it`, {
      retryable: true,
    });
  }

  /** @throws NgatuError EVIDENCE_UNKNOWN, REQUEST_INVALID where the part is none of the file */
  requirePart({ sha256, start, length }: UploadPart): void {
    const { sizeBytes } = this.requireAnnounced(sha256);
    const isLast = start + length === sizeBytes;
    if (start + length <= sizeBytes && (isLast || length >= UPLOAD_PART_MIN_BYTES)) return;
    throw new NgatuError(
      'REQUEST_INVALID',
      `Cannot take bytes ${start} to ${start + length} of evidence ${sha256}: it has ${sizeBytes} bytes`,
    );
  }

  /** True where the file is here whole; puts it together where all of its parts have come. */
  async hasArrived(sha256: string): Promise<boolean> {
    const { evidence, events, clock } = this.#deps;
    const file = this.requireAnnounced(sha256);
    if ((await evidence.open(sha256)) !== undefined) {
      // The process may have died after the file was whole and before its arrival was written down.
      events.markEvidenceArrived(sha256, new Date(clock.nowMs()).toISOString());
      return true;
    }
    const running = this.#assembling.get(sha256);
    if (running !== undefined) return running;
    const assembling = this.#assemble(sha256, file.sizeBytes).finally(() => this.#assembling.delete(sha256));
    this.#assembling.set(sha256, assembling);
    return assembling;
  }

  listParts(sha256: string): Promise<ReceivedPart[]> {
    return this.#deps.parts.list(sha256);
  }

  noteBytes(sha256: string, count: number): void {
    this.#fresh.set(sha256, (this.#fresh.get(sha256) ?? 0) + count);
  }

  /** Writes progress down and lets unfinished parts expire, until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    let expireAtMs = 0;
    while (!signal.aborted) {
      if (this.#deps.clock.nowMs() >= expireAtMs) {
        expireAtMs = this.#deps.clock.nowMs() + EXPIRY_CHECK_MS;
        await this.#try(async () => {
          const removed = await this.#deps.parts.expire(this.#deps.clock.nowMs() - EXPIRY_MS);
          if (removed > 0) this.#deps.logger.info({ removed }, 'unfinished uploads expired');
        });
      }
      await this.#try(() => this.#writeProgress());
      await pause(PROGRESS_EVERY_MS, signal);
    }
  }

  /** Progress is for people to look at: a store that is away for a while costs nothing but that. */
  async #try(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof NgatuError) || !error.retryable) throw error;
      this.#deps.logger.warn({ code: error.code }, error.message);
    }
  }

  async #writeProgress(): Promise<void> {
    const fresh = [...this.#fresh.keys()];
    this.#fresh.clear();
    const at = new Date(this.#deps.clock.nowMs()).toISOString();
    for (const sha256 of fresh) {
      const received = (await this.#deps.parts.list(sha256)).reduce((sum, part) => sum + part.received, 0);
      if (received > 0) this.#deps.events.transfers.noteProgress(sha256, received, at);
    }
  }

  /** @throws NgatuError EVIDENCE_DIGEST_MISMATCH (its parts are dropped), DISK_FULL (retryable; its parts stay) */
  async #assemble(sha256: string, sizeBytes: number): Promise<boolean> {
    const { parts, evidence, events, clock } = this.#deps;
    const content = await parts.readWhole(sha256, sizeBytes);
    if (content === undefined) return false;
    try {
      await evidence.put(sha256, content);
    } catch (error) {
      if (error instanceof NgatuError && error.code === 'EVIDENCE_DIGEST_MISMATCH')
        await parts.remove(sha256);
      throw error;
    }
    events.markEvidenceArrived(sha256, new Date(clock.nowMs()).toISOString());
    await parts.remove(sha256);
    this.#fresh.delete(sha256);
    return true;
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    if (signal.aborted) finish();
    else signal.addEventListener('abort', finish, { once: true });
  });
}
