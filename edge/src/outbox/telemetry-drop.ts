import { buildDropMeasurements, readDropRanges, type SeqRange, type Telemetry } from '@ngatu/contract';
import { encodeOutboxMessage } from './outbox-message.ts';
import type { OutboxStatements } from './outbox-statements.ts';
import { mergeRanges } from './seq-range.ts';

/** A drop frees this part of the limit beyond what is needed, so that a full outbox does not drop at every append. */
const FREED_FRACTION = 0.1;

/** Measurements of one telemetry message, from its schema. */
const RANGES_PER_RECORD = 500;

interface DropRequest {
  readonly origin: { readonly site: string; readonly node: string };
  readonly nowMs: number;
  readonly maxBytes: number;
  /** Bytes in the outbox before the drop. */
  readonly usedBytes: number;
  /** Bytes of the append that needs the room. */
  readonly neededBytes: number;
}

/**
 * Drops telemetry, oldest first, until the append has room, and appends numbered records of which numbers are gone. Older
 * records that still wait are merged into the new ones, so that they cannot fill the outbox themselves. To be called in a
 * transaction. Returns how many messages of telemetry were dropped.
 */
export function dropTelemetry(statements: OutboxStatements, request: DropRequest): number {
  const target = request.maxBytes * (1 - FREED_FRACTION) - request.neededBytes;
  const victims: number[] = [];
  let usedBytes = request.usedBytes;
  for (const row of statements.droppable.iterate()) {
    if (usedBytes <= target) break;
    victims.push(row.seq);
    usedBytes -= row.sizeBytes;
  }
  if (victims.length === 0) return 0;
  const ranges: SeqRange[] = victims.map((seq) => ({ from: seq, to: seq }));
  for (const record of statements.dropRecords.all()) {
    ranges.push({ from: record.seq, to: record.seq });
    ranges.push(...readDropRanges(JSON.parse(record.body) as Telemetry, record.seq));
    statements.deleteEntry.run(record.seq);
  }
  for (const seq of victims) statements.deleteEntry.run(seq);
  appendDropRecords(statements, request, mergeRanges(ranges));
  return victims.length;
}

function appendDropRecords(
  statements: OutboxStatements,
  { origin, nowMs }: DropRequest,
  ranges: readonly SeqRange[],
): void {
  const at = new Date(nowMs).toISOString();
  for (let start = 0; start < ranges.length; start += RANGES_PER_RECORD) {
    const record = encodeOutboxMessage({
      channel: 'telemetry',
      body: {
        schemaVersion: 1,
        ...origin,
        intervals: [],
        measurements: buildDropMeasurements(ranges.slice(start, start + RANGES_PER_RECORD), at),
      },
    });
    statements.insertEntry.run(record.channel, null, 1, record.sizeBytes, record.body);
  }
}
