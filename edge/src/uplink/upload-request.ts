import { type EvidenceGone, EvidenceRequest, findSchemaIssues } from '@ngatu/contract';
import type { Logger } from 'pino';

export interface UploadRequestsOptions {
  /** Marks a waiting file as wanted; false where it does not wait. */
  readonly want: (sha256: string, atMs: number, priority: number) => boolean;
  readonly clock: { nowMs(): number };
  readonly logger: Logger;
  /** Called when something was asked for. */
  readonly onAsked: () => void;
}

export type AskedFile = EvidenceRequest['files'][number];

/** Files that are asked for and looked for on the disk at most; the centre repeats what it gets no answer to. */
const ASKED_MAX = 1_000;
const DAY_MS = 24 * 3_600_000;

/** What the centre asked for and does not wait in the queue: it has to be looked for on the disk. */
export class UploadRequests {
  readonly #options: UploadRequestsOptions;
  readonly #asked = new Map<string, AskedFile>();

  constructor(options: UploadRequestsOptions) {
    this.#options = options;
  }

  /** Takes the payload of the `request` channel. Never throws: what cannot be read is reported and left. */
  take(payload: Uint8Array): void {
    const { want, clock, logger, onAsked } = this.#options;
    const request = decodeRequest(payload);
    if (request === undefined) {
      logger.warn({ code: 'MESSAGE_INVALID' }, 'request for evidence not understood');
      return;
    }
    for (const file of request.files) {
      if (file.erase !== true && want(file.sha256, clock.nowMs(), file.priority)) continue;
      if (this.#asked.size < ASKED_MAX) this.#asked.set(file.sha256, file);
    }
    onAsked();
  }

  /** The next file to look for, taken off the list. */
  next(): AskedFile | undefined {
    const [file] = this.#asked.values();
    if (file !== undefined) this.#asked.delete(file.sha256);
    return file;
  }
}

/** Why a file is not there that was made at `capturedAt`: its time was over, or nobody knows. */
export function explainAbsence(
  capturedAt: string,
  { retentionDays, nowMs }: { readonly retentionDays: number; readonly nowMs: number },
): EvidenceGone['reason'] {
  return nowMs - Date.parse(capturedAt) > retentionDays * DAY_MS ? 'expired' : 'lost';
}

function decodeRequest(payload: Uint8Array): EvidenceRequest | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(payload).toString('utf8'));
    return findSchemaIssues(EvidenceRequest, value).length === 0 ? (value as EvidenceRequest) : undefined;
  } catch {
    return undefined;
  }
}
