import { DROP_RANK } from './drop-rank.ts';
import type { EvidenceLedger } from './evidence-ledger.ts';
import type { EncodedMessage } from './outbox-message.ts';
import type { AppendExtras } from './outbox-shape.ts';
import type { OutboxStatements } from './outbox-statements.ts';

/** Event ids that are remembered after their entries have left. */
const RECENT_EVENTS = 100_000;

/** Writes messages and what belongs to them. Every method is to be called in a transaction. */
export class EntryWriter {
  readonly #statements: OutboxStatements;
  readonly #evidence: EvidenceLedger;

  constructor(statements: OutboxStatements, evidence: EvidenceLedger) {
    this.#statements = statements;
    this.#evidence = evidence;
  }

  /** Those whose event is not known yet, neither from before nor from this very list. */
  selectFresh(encoded: readonly EncodedMessage[]): Set<EncodedMessage> {
    const fresh = new Set<EncodedMessage>();
    const seen = new Set<string>();
    for (const message of encoded) {
      const { eventId } = message;
      if (eventId !== undefined) {
        if (seen.has(eventId) || this.#statements.knownEvent.get(eventId, eventId) !== undefined) continue;
        seen.add(eventId);
      }
      fresh.add(message);
    }
    return fresh;
  }

  /** Returns the number that the message was given. */
  insert(message: EncodedMessage): number {
    const { channel, eventId, caseId, camera, sizeBytes, body } = message;
    const rank = message.dropRank ?? this.#rankOfCase(caseId);
    const { lastInsertRowid } = this.#statements.insertEntry.run(
      channel,
      eventId ?? null,
      0,
      sizeBytes,
      body,
      rank,
      0,
      camera ?? null,
      caseId ?? null,
    );
    if (eventId !== undefined) {
      this.#statements.insertRecentEvent.run(eventId);
      this.#statements.pruneRecentEvents.run(RECENT_EVENTS);
    }
    return Number(lastInsertRowid);
  }

  /** What belongs to an event goes when the event would go. */
  #rankOfCase(caseId: string | undefined): number {
    if (caseId === undefined) return DROP_RANK.gravest;
    return this.#statements.rankOfCase.get(caseId, caseId)?.dropRank ?? DROP_RANK.gravest;
  }

  writeExtras(extras: AppendExtras, duplicates: ReadonlySet<string>, nowMs: number): void {
    for (const job of extras.evidenceJobs ?? []) {
      if (duplicates.has(job.eventId)) continue;
      this.#statements.insertJob.run(job.eventId, job.camera, job.session, job.mediaTimeMs, job.capturedAtMs);
      if (job.context !== undefined) this.#statements.insertJobContext.run(job.eventId, job.context);
    }
    for (const eventId of extras.finishedEvidenceJobs ?? []) {
      this.#statements.deleteJob.run(eventId);
      this.#statements.deleteJobContext.run(eventId);
    }
    for (const upload of extras.uploads ?? []) this.#evidence.add(upload, nowMs);
    for (const [name, value] of Object.entries(extras.marks ?? {})) this.#statements.setMark.run(name, value);
  }
}
