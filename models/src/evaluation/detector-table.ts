import type { AveragePrecision, OperatingPoint } from './average-precision.ts';
import type { DetectorMetrics } from './detector-evaluation.ts';
import { formatLeftOut } from './unlabelled-objects.ts';

/** The table that `ngatu eval detector` prints of one detector. */
export function formatDetectorTable(metrics: DetectorMetrics): string {
  const part = ({ value, truths }: AveragePrecision): string => `${share(value)} (${truths})`.padEnd(15);
  const { pictures, latencyMs, leftOut } = metrics;
  const kind = metrics.raw ? 'findings of the network' : 'road users (two-wheelers with their riders)';
  return [
    `${metrics.model.name}, ${kind}, ${tellWidth(metrics)}: ${pictures.day} pictures by day, ${pictures.night} by night; ` +
      `${latencyMs.p50.toFixed(0)} ms a picture (p95 ${latencyMs.p95.toFixed(0)})`,
    ...formatLeftOut(leftOut),
    'class          objects  AP50    AP50:95 small          medium         large          day            night          ' +
      'best threshold: precision, recall   at precision 0.95',
    ...metrics.classes.map(
      ({ name, truths, ap50, ap50to95, bySize, byLight, best, precise }) =>
        `${name.padEnd(15)}${String(truths).padEnd(9)}${share(ap50).padEnd(8)}${share(ap50to95).padEnd(8)}` +
        `${part(bySize.small)}${part(bySize.medium)}${part(bySize.large)}${part(byLight.day)}${part(byLight.night)}` +
        `${point(best).padEnd(36)}${point(precise)}`,
    ),
    ...metrics.unknownClasses.map(
      ({ name, truths }) => `${name}: not a class of this detector (${truths} objects)`,
    ),
  ].join('\n');
}

/** One line a detector and input size: what each class gains and what it costs. */
export function formatDetectorComparison(list: readonly DetectorMetrics[]): string {
  const names = [...new Set(list.flatMap(({ classes }) => classes.map(({ name }) => name)))].sort();
  const counts = new Map(list.flatMap(({ classes }) => classes.map(({ name, truths }) => [name, truths])));
  const heads = names.map((name) => `${name} (${counts.get(name) ?? 0})`);
  const widths = heads.map((head) => Math.max(head.length, 13) + 2);
  const modelWidth = Math.max(8, ...list.map(({ model }) => model.name.length)) + 2;
  const sizeWidth = Math.max(6, ...list.map((metrics) => tellSize(metrics).length)) + 2;
  return [
    `AP50 / AP50:95 by class; – is no class of that detector`,
    `${'detector'.padEnd(modelWidth)}${'width'.padEnd(sizeWidth)}${'ms p50'.padEnd(8)}${'ms p95'.padEnd(8)}${heads
      .map((head, k) => head.padEnd(widths[k] ?? 0))
      .join('')}`.trimEnd(),
    ...list.map((metrics) => {
      const cells = names.map((name, k) => {
        const found = metrics.classes.find((each) => each.name === name);
        const text = found === undefined ? '–' : `${share(found.ap50)} / ${share(found.ap50to95)}`;
        return text.padEnd(widths[k] ?? 0);
      });
      const { p50, p95 } = metrics.latencyMs;
      return (
        metrics.model.name.padEnd(modelWidth) +
        tellSize(metrics).padEnd(sizeWidth) +
        p50.toFixed(0).padEnd(8) +
        p95.toFixed(0).padEnd(8) +
        cells.join('')
      ).trimEnd();
    }),
  ].join('\n');
}

function tellWidth({ maxWidth, enlarge }: DetectorMetrics): string {
  const width = maxWidth === undefined ? 'at their own width' : `at most ${maxWidth} px wide`;
  return enlarge === undefined ? width : `${width} and besides ${enlarge} times enlarged`;
}

function tellSize({ maxWidth, enlarge }: DetectorMetrics): string {
  const width = String(maxWidth ?? 'native');
  return enlarge === undefined ? width : `${width} + ×${enlarge}`;
}

function share(value: number | undefined): string {
  return value === undefined ? '–' : value.toFixed(3);
}

function point(at: OperatingPoint | undefined): string {
  return at === undefined
    ? '–'
    : `${at.threshold.toFixed(2)}: ${at.precision.toFixed(3)}, ${at.recall.toFixed(3)}`;
}
