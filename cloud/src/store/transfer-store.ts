import type { EvidenceGoneReason, EvidenceRequest } from '@ngatu/contract';

/** Why an original was asked for: a person did, or the case was decided. */
export const REQUEST_CAUSES = ['demanded', 'automatic'] as const;
export type RequestCause = (typeof REQUEST_CAUSES)[number];

/** Somebody wants a file that lies on a node. */
export interface OriginalRequest {
  readonly sha256: string;
  readonly eventId: string;
  readonly site: string;
  readonly node: string;
  readonly priority: number;
  readonly cause: RequestCause;
  readonly requestedBy: string;
  readonly requestedAt: string;
  readonly reason: string;
}

/** Where a file is that has not arrived at the centre. */
export interface TransferRecord {
  readonly sha256: string;
  /** Of its bytes at the centre, where the upload has begun. */
  readonly receivedBytes?: number;
  readonly receivedAt?: string;
  readonly requestedAt?: string;
  readonly requestedBy?: string;
  readonly cause?: RequestCause;
  readonly gone?: { readonly reason: EvidenceGoneReason; readonly detail?: string; readonly at: string };
}

export type FileTransfer = Omit<TransferRecord, 'sha256'>;

/** What of a node is wanted and has neither arrived nor gone. */
export interface WantedFiles {
  readonly site: string;
  readonly node: string;
  readonly files: EvidenceRequest['files'];
}

/** Evidence files on their way: what is wanted of which node, how much has come, what the node no longer has. */
export interface TransferStore {
  /** A file that is wanted already keeps its first request; the higher priority counts. */
  request(request: OriginalRequest): void;
  /** At most `limit` files of each node, most urgent first. */
  listWanted(limit: number): WantedFiles[];
  /** False where no manifest of this node announced the file, or it has arrived. */
  markGone(
    file: { readonly sha256: string; readonly site: string; readonly node: string },
    gone: NonNullable<TransferRecord['gone']>,
  ): boolean;
  noteProgress(sha256: string, receivedBytes: number, at: string): void;
  /** What is known of the files of an event that have not arrived. */
  list(eventId: string): TransferRecord[];
}
