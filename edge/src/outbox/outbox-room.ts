import type { DropItem, DropRange, Event, Telemetry } from '@ngatu/contract';
import { DROP_RANK } from './drop-rank.ts';
import { appendDropRecords, type DropOrigin } from './drop-record-writer.ts';
import { encodeOutboxMessage } from './outbox-message.ts';
import type { EntryRow, OutboxStatements, RankedRow } from './outbox-statements.ts';
import type { SentMarks } from './sent-marks.ts';
import { findTelemetryTime, mergeTelemetry, THIN_WINDOWS_MS } from './telemetry-thinning.ts';

/** So much more is freed than is needed, at most, so that a full outbox does not drop at every append. */
const FREED = {
  telemetry: { share: 0.1, maxBytes: 1024 * 1024 },
  cases: { share: 0.01, maxBytes: 256 * 1024 },
} as const;
/** Messages that are thinned at once. */
const THIN_BATCH = 512;
const ROUNDS = 4;

interface RoomRequest {
  readonly origin: DropOrigin;
  readonly nowMs: number;
  readonly maxBytes: number;
  readonly sent: SentMarks;
  /** Called for each file of a manifest that is dropped: the centre will not take it. */
  readonly refuseFile: (sha256: string, reason: string) => void;
}

export interface RoomOutcome {
  readonly thinned: number;
  readonly telemetryDropped: number;
  readonly casesDropped: number;
}

/** Under which mark each total is kept. */
export const TOTAL_MARKS = {
  thinned: 'outbox.telemetry-thinned-total',
  telemetryDropped: 'outbox.telemetry-dropped-total',
  casesDropped: 'outbox.cases-dropped-total',
} as const satisfies Record<keyof RoomOutcome, string>;

/**
 * Brings the outbox back below its limit, in the order: telemetry is thinned (what may have been sent is not), telemetry is dropped, then
 * let-pass cases, then cases that hinder, the gravest last; within each the oldest first. Everything that goes is named in records
 * that are themselves numbered messages. To be called in a transaction, after the entries that need the room were written: what is
 * appended takes part in the order.
 */
export class OutboxRoom {
  readonly #statements: OutboxStatements;
  readonly #request: RoomRequest;
  readonly #ranges: DropRange[] = [];
  readonly #items: DropItem[] = [];
  #thinned = 0;
  #telemetryDropped = 0;
  #casesDropped = 0;

  constructor(statements: OutboxStatements, request: RoomRequest) {
    this.#statements = statements;
    this.#request = request;
  }

  make(): RoomOutcome {
    // The records of what went need room themselves: rarely a second round makes it.
    for (let round = 0; round < ROUNDS && this.#usedBytes() > this.#request.maxBytes; round++) {
      this.#thinAll();
      for (let rank = DROP_RANK.telemetry; rank <= DROP_RANK.gravest; rank++) this.#dropRank(rank);
      if (this.#ranges.length === 0) break;
      const news = { ranges: this.#ranges.splice(0), items: this.#items.splice(0) };
      appendDropRecords(this.#statements, this.#request, news);
    }
    return {
      thinned: this.#thinned,
      telemetryDropped: this.#telemetryDropped,
      casesDropped: this.#casesDropped,
    };
  }

  #usedBytes(): number {
    return this.#statements.usage.get()?.bytes ?? 0;
  }

  /** Bytes to which an overfull outbox is brought down; above the limit nothing is done. */
  #target({ share, maxBytes }: { share: number; maxBytes: number }): number {
    return this.#request.maxBytes - Math.min(this.#request.maxBytes * share, maxBytes);
  }

  #thinAll(): void {
    const target = this.#target(FREED.telemetry);
    for (const [level, windowMs] of THIN_WINDOWS_MS.entries()) {
      let after = 0;
      while (this.#usedBytes() > target) {
        const rows = this.#statements.thinnable.all(level, after, THIN_BATCH);
        const first = rows[0];
        if (first === undefined) break;
        const sent = this.#request.sent.covering(first.seq);
        if (sent !== undefined) {
          after = sent.to;
          continue;
        }
        after = rows.at(-1)?.seq ?? after;
        this.#thin(
          rows.filter(({ seq }) => this.#request.sent.covering(seq) === undefined),
          level,
          windowMs,
        );
      }
    }
  }

  #thin(rows: readonly EntryRow[], level: number, windowMs: number): void {
    const groups = new Map<string, { row: EntryRow; body: Telemetry }[]>();
    for (const row of rows) {
      const body = JSON.parse(row.body) as Telemetry;
      const atMs = findTelemetryTime(body);
      if (atMs === undefined) continue;
      const key = `${row.camera ?? ''} ${Math.floor(atMs / windowMs)}`;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [{ row, body }]);
      else group.push({ row, body });
    }
    for (const group of groups.values()) {
      const merged = mergeTelemetry(group.map(({ body }) => body));
      if (merged === undefined || group.length < 2) continue;
      const { body, sizeBytes, camera } = encodeOutboxMessage({ channel: 'telemetry', body: merged });
      for (const { row } of group) this.#delete(row.seq, 'thinned');
      this.#statements.insertEntry.run(
        'telemetry',
        null,
        0,
        sizeBytes,
        body,
        DROP_RANK.telemetry,
        level + 1,
        camera ?? null,
        null,
      );
      this.#thinned += group.length;
    }
  }

  #dropRank(rank: number): void {
    if (this.#usedBytes() <= this.#request.maxBytes) return;
    const target = this.#target(rank === DROP_RANK.telemetry ? FREED.telemetry : FREED.cases);
    let usedBytes = this.#usedBytes();
    const victims: RankedRow[] = [];
    for (const row of this.#statements.byRank.iterate(rank)) {
      if (usedBytes <= target) break;
      victims.push(row);
      usedBytes -= row.sizeBytes;
    }
    for (const row of victims) {
      if (row.channel === 'telemetry' || row.channel === 'screening') {
        this.#delete(row.seq, 'dropped');
        this.#telemetryDropped += 1;
      } else this.#dropCase(row);
    }
  }

  /** An event goes with its manifest and its evidence job; a manifest whose event has been sent goes alone. */
  #dropCase(row: RankedRow): void {
    if (this.#statements.entry.get(row.seq) === undefined) return;
    const whole = row.channel === 'event' && row.caseId !== null;
    const parts = whole ? this.#statements.byCase.all(row.caseId ?? '') : [row];
    for (const part of parts) {
      this.#delete(part.seq, 'dropped');
      this.#items.push(this.#describe(part));
      if (part.channel === 'evidence') this.#refuseFiles(part.body);
    }
    if (whole && row.caseId !== null) {
      this.#statements.deleteJob.run(row.caseId);
      this.#statements.deleteJobContext.run(row.caseId);
    }
    this.#casesDropped += 1;
  }

  #refuseFiles(manifest: string): void {
    const { files } = JSON.parse(manifest) as { files: readonly { sha256: string }[] };
    for (const { sha256 } of files)
      this.#request.refuseFile(sha256, 'its manifest was dropped: the outbox is full');
  }

  #describe({ seq, channel, body, sizeBytes, camera, caseId }: RankedRow): DropItem {
    const { kind, capturedAt, letPass } = JSON.parse(body) as Partial<
      Pick<Event, 'kind' | 'capturedAt' | 'letPass'>
    >;
    return {
      what: channel === 'event' ? 'event' : 'evidence',
      reason: 'outbox-full',
      droppedAt: new Date(this.#request.nowMs).toISOString(),
      seq,
      ...(caseId === null ? {} : { eventId: caseId }),
      ...(camera === null ? {} : { camera }),
      ...(kind === undefined ? {} : { kind }),
      ...(capturedAt === undefined ? {} : { capturedAt }),
      ...(letPass === undefined ? {} : { letPass: true as const }),
      sizeBytes,
    };
  }

  #delete(seq: number, manner: DropRange['manner']): void {
    this.#statements.deleteEntry.run(seq);
    this.#ranges.push({ from: seq, to: seq, manner });
  }
}
