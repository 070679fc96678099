import { formatProportion } from './interval.ts';
import type { MaskMetrics, MaskSightMetrics } from './mask-evaluation.ts';
import { FOUND_IOU, type MaskFigures, type MaskSizeFigures } from './mask-score.ts';

const WIDTHS = { size: 12, what: 10, share: 30, f1: 8 };

/** The table that `ngatu eval masks` prints. */
export function formatMaskTable({ pictures, faces, sights }: MaskMetrics): string {
  return [
    `${pictures} pictures; labelled faces: ${faces.with} with, ${faces.without} without, ${faces.ignored} of neither (count as faces only)`,
    `found: IoU ≥ ${FOUND_IOU}; "uncertain" counts as a miss; sizes by the shorter side of the face; intervals: Wilson, 95 %`,
    ...sights.flatMap(formatSight),
  ].join('\n');
}

function formatSight(sight: MaskSightMetrics): string[] {
  const { name, label, confidence, pictures, heldOutPictures, sizes, findMs, judgeMs } = sight;
  const heldOut =
    heldOutPictures === 0
      ? []
      : [
          `${heldOutPictures} of the ${pictures} pictures were learned on: what was learned without them looked at these`,
        ];
  const head = ['size'.padEnd(WIDTHS.size), 'what'.padEnd(WIDTHS.what), 'precision'.padEnd(WIDTHS.share)];
  return [
    '',
    `${name} (${label}), confidence from ${confidence}`,
    ...heldOut,
    `${findMs.p50.toFixed(0)} ms a picture (p95 ${findMs.p95.toFixed(0)}), ${judgeMs.p50.toFixed(0)} ms a face (p95 ${judgeMs.p95.toFixed(0)})`,
    [...head, 'recall'.padEnd(WIDTHS.share), 'F1'].join(''),
    ...sizes.flatMap(formatSize),
  ];
}

function formatSize(figures: MaskSizeFigures): string[] {
  const row = (what: string, { precision, recall, f1 }: MaskFigures): string =>
    [
      figures.size.padEnd(WIDTHS.size),
      what.padEnd(WIDTHS.what),
      formatProportion(precision).padEnd(WIDTHS.share),
      formatProportion(recall).padEnd(WIDTHS.share),
      f1 === undefined ? '–' : f1.toFixed(3),
    ].join('');
  return [
    row('face', figures.face),
    row('with', figures.with),
    row('without', figures.without),
    `${figures.size.padEnd(WIDTHS.size)}of the found faces: right of those judged ${formatProportion(figures.rightOfJudged)}, uncertain ${formatProportion(figures.uncertain)}`,
  ];
}
