import { join } from 'node:path';
import {
  DEFAULT_PLATE_DETECTOR_CONFIDENCE,
  lookAtPlate,
  type PlateReader,
  readRgbPicture,
  votePlate,
} from '@ngatu/edge';
import type { PixelBox } from './average-precision.ts';
import { computeProportion, formatProportion, type Proportion } from './interval.ts';
import type { PlatePicture } from './plate-detector-evaluation.ts';
import { isAtPlace } from './unlabelled-objects.ts';

const KINDS = ['plates with a label', 'where nobody labelled', 'no plates'] as const;
type Kind = (typeof KINDS)[number];

/** What the reader makes of what a finder of plates found, at its default confidence. */
export interface FindingReadings {
  readonly kind: Kind;
  /** Read or ambiguous, by one look. */
  readonly read: Proportion;
  /** The same, had eight frames shown just the same: as sure as a vote can make it. */
  readonly readEightTimes: Proportion;
  /** Nothing that could be read was seen, not even as a hint. */
  readonly nothing: Proportion;
}

const FRAMES = 8;

/**
 * Reads what was found in pictures whose plates are labelled. What is read where no plate is was invented.
 * @param dataDir the YOLO folder of the pictures
 * @throws NgatuError FILE_UNREADABLE, PICTURE_UNREADABLE, MODEL_INVALID
 */
export async function readFindings(
  pictures: readonly PlatePicture[],
  {
    dataDir,
    reader,
    on,
  }: { readonly dataDir: string; readonly reader: Pick<PlateReader, 'read'>; readonly on: Date },
  signal: AbortSignal,
): Promise<readonly FindingReadings[]> {
  const counts = new Map(KINDS.map((kind) => [kind, { total: 0, read: 0, eight: 0, nothing: 0 }]));
  for (const { picture, truths, found, leftOut = [] } of pictures) {
    const pixels = await readRgbPicture(join(dataDir, 'images', picture));
    for (const finding of found) {
      signal.throwIfAborted();
      if (finding.confidence < DEFAULT_PLATE_DETECTOR_CONFIDENCE) continue;
      const look = await lookAtPlate(reader, pixels, finding);
      const count = counts.get(tellKind(finding.box, truths, leftOut));
      if (count === undefined) continue;
      const reading = votePlate([look], { on });
      const eight = votePlate(
        Array.from({ length: FRAMES }, () => look),
        { on },
      );
      count.total += 1;
      if (reading.state !== 'unreadable') count.read += 1;
      if (eight.state !== 'unreadable') count.eight += 1;
      if (reading.text === undefined) count.nothing += 1;
    }
  }
  return [...counts].map(([kind, { total, read, eight, nothing }]) => ({
    kind,
    read: computeProportion(read, total),
    readEightTimes: computeProportion(eight, total),
    nothing: computeProportion(nothing, total),
  }));
}

function tellKind(box: PixelBox, truths: readonly PixelBox[], leftOut: readonly PixelBox[]): Kind {
  if (isAtPlace(box, truths)) return 'plates with a label';
  return isAtPlace(box, leftOut) ? 'where nobody labelled' : 'no plates';
}

export function formatFindingReadings(readings: readonly FindingReadings[]): string {
  return [
    'what is read on what was found (default confidence), by one look and had eight frames shown just the same',
    ...readings.map(
      ({ kind, read, readEightTimes, nothing }) =>
        `  ${kind.padEnd(22)} read ${formatProportion(read).padEnd(26)} eight times ${formatProportion(readEightTimes).padEnd(26)} nothing seen ${formatProportion(nothing)}`,
    ),
  ].join('\n');
}
