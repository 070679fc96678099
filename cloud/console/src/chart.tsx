import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { formatNumber, formatShortTime } from './format.ts';
import { useText } from './language.tsx';

/** One line of a chart; an absent value is a gap, never a zero. */
export interface ChartLine {
  readonly name: string;
  readonly values: readonly (number | null)[];
}

/** A stretch in which nothing was measured, seconds since 1970. */
export interface ChartGap {
  readonly from: number;
  readonly to: number;
}

/** Something that was said about one point, seconds since 1970. */
export interface ChartMark {
  readonly at: number;
  readonly value: number;
}

/** Told apart by hue, lightness and dash, also without colour sight. */
const STROKES = ['#0b5cad', '#c2410c', '#17663a', '#7c3aed', '#a81c24', '#0e7490', '#713f12', '#475569'];
const DASHES: readonly (readonly number[])[] = [[], [7, 3], [2, 3], [10, 3, 2, 3]];

function drawGaps(plot: uPlot, gaps: readonly ChartGap[], colour: string): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.fillStyle = colour;
  for (const { from, to } of gaps) {
    const left = Math.max(bbox.left, plot.valToPos(from, 'x', true));
    const right = Math.min(bbox.left + bbox.width, plot.valToPos(to, 'x', true));
    if (right > left) ctx.fillRect(left, bbox.top, right - left, bbox.height);
  }
  ctx.restore();
}

const MARK_PX = 6;
const MARK_COLOUR = '#a81c24';
const NO_MARKS: readonly ChartMark[] = [];

/** A triangle under each point, also where it lies a little outside. */
function drawMarks(plot: uPlot, marks: readonly ChartMark[], colour: string): void {
  const { ctx, bbox } = plot;
  const side = MARK_PX * devicePixelRatio;
  ctx.save();
  ctx.fillStyle = colour;
  for (const { at, value } of marks) {
    const x = plot.valToPos(at, 'x', true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    const y = Math.min(bbox.top + bbox.height - side, Math.max(bbox.top, plot.valToPos(value, 'y', true)));
    ctx.beginPath();
    ctx.moveTo(x, y);
    ctx.lineTo(x - side, y + 1.6 * side);
    ctx.lineTo(x + side, y + 1.6 * side);
    ctx.fill();
  }
  ctx.restore();
}

/** A little air above and below; a line that never moves lies in the middle. */
function widen(min: number, max: number): [number, number] {
  const air = max > min ? 0.08 * (max - min) : Math.max(0.5, 0.05 * Math.abs(max));
  return [min - air, max + air];
}

/** Lines over time in Vietnam's zone; stretches in which the camera did not look are shaded. */
export function Chart(props: {
  times: readonly number[];
  lines: readonly ChartLine[];
  gaps: readonly ChartGap[];
  marks?: readonly ChartMark[];
  unit: string;
  /** Lines that stand for counts of a step are drawn as steps. */
  stepped?: boolean;
  /** The axis follows the values instead of beginning at nought: for quantities whose nought means nothing. */
  free?: boolean;
}) {
  const { times, lines, gaps, marks = NO_MARKS, unit, stepped = false, free = false } = props;
  const { t, language } = useText();
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const colours = getComputedStyle(document.documentElement);
    const colour = (name: string) => colours.getPropertyValue(name).trim();
    const axis = {
      stroke: colour('--soft'),
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { show: false },
    };
    const spanS = (times.at(-1) ?? 0) - (times[0] ?? 0);
    const show = (value: number | null) =>
      value === null || value === undefined ? '–' : `${formatNumber(value, language, 1)} ${unit}`.trim();
    const plot = new uPlot(
      {
        width: element.clientWidth,
        height: 190,
        cursor: { drag: { x: false, y: false } },
        legend: { live: true },
        axes: [
          {
            ...axis,
            space: 76,
            size: 30,
            values: (_plot, splits) =>
              splits.map((at) => formatShortTime(at * 1_000, language, spanS > 90_000)),
          },
          {
            ...axis,
            size: 58,
            values: (_plot, splits) => splits.map((value) => formatNumber(value, language, 2)),
          },
        ],
        scales: {
          x: { time: true },
          y: { range: (_plot, min, max) => (free ? widen(min, max) : [0, max > 0 ? max * 1.08 : 1]) },
        },
        series: [
          {
            label: t('traffic.time'),
            value: (_plot, at) => (at === null ? '–' : formatShortTime(at * 1_000, language, true)),
          },
          ...lines.map(
            ({ name, values }, index): uPlot.Series => ({
              label: name,
              stroke: STROKES[index % STROKES.length] ?? '#0b5cad',
              dash: [...(DASHES[Math.floor(index / 2) % DASHES.length] ?? [])],
              width: 2,
              // a reading alone between two gaps has no line to stand on
              points: { show: values.filter((value) => value !== null).length < 40 },
              spanGaps: false,
              value: (_plot, value) => show(value),
              ...(stepped && uPlot.paths.stepped !== undefined
                ? { paths: uPlot.paths.stepped({ align: 1 }) }
                : {}),
            }),
          ),
        ],
        hooks: {
          drawClear: [(drawn) => drawGaps(drawn, gaps, colour('--gap'))],
          draw: [(drawn) => drawMarks(drawn, marks, MARK_COLOUR)],
        },
      },
      [[...times], ...lines.map(({ values }) => [...values])],
      element,
    );
    const watcher = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: 190 }));
    watcher.observe(element);
    return () => {
      watcher.disconnect();
      plot.destroy();
    };
  }, [times, lines, gaps, marks, unit, stepped, free, language, t]);
  return <div class="chart" ref={place} />;
}
