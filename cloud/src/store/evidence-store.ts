import type { Readable } from 'node:stream';

/** Evidence files by digest. A file is either whole and verified, or not there. */
export interface EvidenceStore {
  /**
   * Streams a file in and verifies it.
   * @throws NgatuError EVIDENCE_DIGEST_MISMATCH, EVIDENCE_TOO_LARGE (nothing is kept), DISK_FULL
   */
  put(sha256: string, content: Readable): Promise<'stored' | 'present'>;
  /** Deletes a file, so that it is gone after a power cut too. False where it was not there. @throws NgatuError PERMISSION_DENIED */
  remove(sha256: string): Promise<boolean>;
  /** Size and a way to read a byte range (inclusive bounds); undefined where the file is not there. */
  open(sha256: string): Promise<EvidenceHandle | undefined>;
}

export interface EvidenceHandle {
  readonly sizeBytes: number;
  read(range?: { start: number; end: number }): Readable;
}
