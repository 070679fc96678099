import { type Static, Type } from '@sinclair/typebox';
import { EventKind } from './event.ts';
import { EventId, Sha256, Slug, Timestamp } from './id.ts';
import type { Measurement, Telemetry } from './telemetry.ts';

/** Numbers `from` to `to`, both inclusive. */
export interface SeqRange {
  readonly from: number;
  readonly to: number;
}

/**
 * Why a number of an outbox will never be sent. `thinned`: its telemetry went on in a coarser message. `dropped`: the outbox was
 * full. `gone`: the centre asked for it again, and the node has no copy any more. `renumbered`: it belongs to the time before the
 * outbox took a new identity. `skipped`: the node was stopped without warning, and leaves out numbers that it may have given before.
 */
export const DROP_MANNERS = ['thinned', 'dropped', 'gone', 'renumbered', 'skipped'] as const;
export type DropManner = (typeof DROP_MANNERS)[number];

/** A stretch of numbers that is explained. */
export interface DropRange extends SeqRange {
  readonly manner: DropManner;
}

/** Metric of one dropped stretch: its value is how many numbers it holds, its tags `fromSeq` and `toSeq` say which. */
export const DROPPED_METRIC = 'outboxDropped';

/** What was dropped beside telemetry, one by one: an event, the manifest of its evidence, or a file that had not been sent. */
export const DropItem = Type.Object(
  {
    what: Type.Union([Type.Literal('event'), Type.Literal('evidence'), Type.Literal('file')]),
    reason: Type.Union([
      Type.Literal('outbox-full'),
      Type.Literal('evidence-budget'),
      Type.Literal('evidence-retention'),
    ]),
    droppedAt: Timestamp,
    seq: Type.Optional(Type.Integer({ minimum: 1, description: 'Number of the message in its outbox.' })),
    eventId: Type.Optional(EventId),
    kind: Type.Optional(EventKind),
    camera: Type.Optional(Slug),
    capturedAt: Type.Optional(Timestamp),
    letPass: Type.Optional(Type.Literal(true)),
    sha256: Type.Optional(Sha256),
    role: Type.Optional(Type.String({ maxLength: 32 })),
    sizeBytes: Type.Integer({ minimum: 0 }),
  },
  { additionalProperties: false },
);
export type DropItem = Static<typeof DropItem>;

/** Items of one telemetry message at most. */
export const DROP_ITEMS_MAX = 200;

/**
 * What a full outbox says of the numbers that it dropped: a hole in the numbers that is explained is not a loss. The measurements
 * travel in a numbered telemetry message of their own.
 */
export function buildDropMeasurements(ranges: readonly DropRange[], at: string): Measurement[] {
  return ranges.map(({ from, to, manner }) => ({
    at,
    metric: DROPPED_METRIC,
    value: to - from + 1,
    tags: { fromSeq: String(from), toSeq: String(to), manner },
  }));
}

/** The stretches that message number `seq` explains. A stretch that does not lie below `seq` is ignored. */
export function readDropRanges(telemetry: Pick<Telemetry, 'measurements'>, seq: number): DropRange[] {
  const ranges: DropRange[] = [];
  for (const { metric, tags } of telemetry.measurements) {
    if (metric !== DROPPED_METRIC || tags === undefined) continue;
    const from = Number(tags['fromSeq']);
    const to = Number(tags['toSeq']);
    if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to)) continue;
    // Records of earlier versions name no manner: all they tell of was dropped.
    const manner = DROP_MANNERS.find((name) => name === tags['manner']) ?? 'dropped';
    if (from >= 1 && from <= to && to < seq) ranges.push({ from, to, manner });
  }
  return ranges;
}
