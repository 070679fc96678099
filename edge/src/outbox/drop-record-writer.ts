import {
  buildDropMeasurements,
  DROP_ITEMS_MAX,
  type DropItem,
  type DropRange,
  readDropRanges,
  type Telemetry,
} from '@ngatu/contract';
import { DROP_RANK } from './drop-rank.ts';
import { encodeOutboxMessage } from './outbox-message.ts';
import type { OutboxStatements } from './outbox-statements.ts';
import { mergeDropRanges } from './seq-range.ts';

/** Measurements of one telemetry message, from its schema. */
const RANGES_PER_RECORD = 500;
/** Records may fill so much of the outbox; then the oldest ones keep their numbers and lose the list of what they were. */
const RECORDS_SHARE = 0.25;

export interface DropOrigin {
  readonly site: string;
  readonly node: string;
}

export interface DropNews {
  readonly ranges: readonly DropRange[];
  readonly items: readonly DropItem[];
}

/**
 * Appends numbered records of what is gone. Records that still wait and have room are merged into the new ones, so that they cannot
 * fill the outbox themselves. To be called in a transaction.
 */
export function appendDropRecords(
  statements: OutboxStatements,
  request: { readonly origin: DropOrigin; readonly nowMs: number; readonly maxBytes: number },
  news: DropNews,
): void {
  const ranges: DropRange[] = [...news.ranges];
  const items: DropItem[] = [];
  const records = statements.byRank.all(DROP_RANK.record);
  const allowed = request.maxBytes * RECORDS_SHARE;
  const isTooMuch = sumBytes(records) + measureItems(news.items) > allowed;
  for (const { seq, body: json } of records) {
    const body = JSON.parse(json) as Telemetry;
    const listed = body.drops ?? [];
    if (listed.length >= DROP_ITEMS_MAX && !isTooMuch) continue;
    ranges.push({ from: seq, to: seq, manner: 'thinned' }, ...readDropRanges(body, seq));
    items.push(...listed);
    statements.deleteEntry.run(seq);
  }
  items.push(...news.items);
  if (isTooMuch) removeOldest(items, allowed / 2);
  writeRecords(statements, request, { ranges: mergeDropRanges(ranges), items });
}

function sumBytes(rows: readonly { readonly sizeBytes: number }[]): number {
  return rows.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

function measureItems(items: readonly DropItem[]): number {
  return items.reduce((sum, item) => sum + JSON.stringify(item).length + 1, 0);
}

/** Their numbers stay explained by the ranges; what they were is said no more. */
function removeOldest(items: DropItem[], allowedBytes: number): void {
  let bytes = measureItems(items);
  let count = 0;
  while (bytes > allowedBytes && count < items.length) {
    bytes -= measureItems(items.slice(count, count + 1));
    count += 1;
  }
  items.splice(0, count);
}

function writeRecords(
  statements: OutboxStatements,
  { origin, nowMs }: { readonly origin: DropOrigin; readonly nowMs: number },
  { ranges, items }: DropNews,
): void {
  const at = new Date(nowMs).toISOString();
  const parts = Math.max(
    Math.ceil(ranges.length / RANGES_PER_RECORD),
    Math.ceil(items.length / DROP_ITEMS_MAX),
  );
  for (let part = 0; part < parts; part++) {
    const own = ranges.slice(part * RANGES_PER_RECORD, (part + 1) * RANGES_PER_RECORD);
    const drops = items.slice(part * DROP_ITEMS_MAX, (part + 1) * DROP_ITEMS_MAX);
    const body: Telemetry = {
      schemaVersion: 1,
      ...origin,
      intervals: [],
      measurements: buildDropMeasurements(own, at),
      ...(drops.length === 0 ? {} : { drops }),
    };
    const record = encodeOutboxMessage({ channel: 'telemetry', body });
    statements.insertEntry.run(
      'telemetry',
      null,
      1,
      record.sizeBytes,
      record.body,
      DROP_RANK.record,
      0,
      null,
      null,
    );
  }
}
