import type { Tripwire } from '@ngatu/contract';
import { type Box, computeGroundPoint, type Point } from '../geometry/box.ts';
import { DirectedLine } from '../geometry/polyline.ts';
import type { GroundMap } from './traffic-area.ts';

/** The first of a queue stands within so many longer sides of its box before the line. */
const HEAD_SIDES = 3;
/** Beyond the line by less than this share of the longer side it still waits there. */
const OVER_SIDES = 0.3;
/** The next one stands within so many mean widths and heights, from middle to middle. */
const NEXT_WIDTHS = 1.8;
const NEXT_HEIGHTS = 1.6;
/** A line is laid on the ground by so many points. */
const LINE_SAMPLES = 16;

type GroundPlace = readonly [x: number, y: number];

interface Queue {
  readonly vehicles: number;
  /** From the line to the ground point of the last one, m; absent without calibration or with an empty queue. */
  readonly lengthM?: number;
}

/**
 * Finds the queue among the vehicles that stand: who stands at one of the lines, and who stands next to one of the queue.
 * Where no line is given, the largest group that stands together.
 */
export class QueueGauge {
  readonly #lines: readonly { line: DirectedLine; places: readonly GroundPlace[] }[];
  readonly #ground: GroundMap | undefined;

  constructor(tripwires: readonly Tripwire[], ground: GroundMap | undefined) {
    this.#lines = tripwires.map(({ points, forwardTowards }) => ({
      line: new DirectedLine(points, forwardTowards),
      places: layAll(sampleLine(points), ground),
    }));
    this.#ground = ground;
  }

  measure(standing: readonly Box[]): Queue {
    const groups =
      this.#lines.length > 0
        ? this.#lines.map(({ line, places }) => ({ places, members: queueAt(line, standing) }))
        : [{ places: undefined, members: largestGroup(standing) }];
    const lengths = groups.map(({ places, members }) => this.#lengthOf(members, places));
    const known = lengths.filter((length) => length !== undefined);
    return {
      vehicles: new Set(groups.flatMap(({ members }) => members)).size,
      ...(known.length === 0 ? {} : { lengthM: Math.max(...known) }),
    };
  }

  /** From the line, or without one from end to end, m. */
  #lengthOf(members: readonly Box[], line: readonly GroundPlace[] | undefined): number | undefined {
    if (members.length === 0) return undefined;
    const places = layAll(
      members.map((box) => computeGroundPoint(box)),
      this.#ground,
    );
    const starts = line ?? places;
    // who stands beyond the horizon of the calibration leaves the length unknown
    if (places.length < members.length || starts.length === 0) return undefined;
    const distances = places.map(([x, y]) => {
      const each = starts.map(([sx, sy]) => Math.hypot(x - sx, y - sy));
      return line === undefined ? Math.max(...each) : Math.min(...each);
    });
    return Math.max(...distances);
  }
}

function layAll(points: readonly Point[], ground: GroundMap | undefined): GroundPlace[] {
  return points.flatMap((point) => {
    const place = ground?.toGround(point);
    return place === undefined ? [] : [place];
  });
}

/** Who stands before a line, and who stands next to one of these. */
function queueAt(line: DirectedLine, standing: readonly Box[]): readonly Box[] {
  const heads = standing.filter((box) => {
    const { distance, overrun } = line.locate(computeGroundPoint(box));
    const side = longerSide(box);
    return distance >= -HEAD_SIDES * side && distance <= OVER_SIDES * side && overrun <= side / 2;
  });
  return growGroup(heads, standing);
}

function growGroup(seeds: readonly Box[], all: readonly Box[]): Box[] {
  const group = [...seeds];
  const rest = new Set(all.filter((box) => !seeds.includes(box)));
  for (let i = 0; i < group.length; i++) {
    const member = group[i] as Box;
    for (const box of rest) {
      if (!areNext(member, box)) continue;
      rest.delete(box);
      group.push(box);
    }
  }
  return group;
}

function largestGroup(all: readonly Box[]): readonly Box[] {
  let rest = [...all];
  let largest: readonly Box[] = [];
  while (rest[0] !== undefined) {
    const group = growGroup([rest[0]], rest);
    if (group.length > largest.length) largest = group;
    rest = rest.filter((box) => !group.includes(box));
  }
  return largest;
}

function areNext(a: Box, b: Box): boolean {
  const [ax, ay] = computeGroundPoint(a);
  const [bx, by] = computeGroundPoint(b);
  const width = (a[2] - a[0] + b[2] - b[0]) / 2;
  const height = (a[3] - a[1] + b[3] - b[1]) / 2;
  return Math.abs(ax - bx) <= NEXT_WIDTHS * width && Math.abs(ay - by) <= NEXT_HEIGHTS * height;
}

function sampleLine(points: readonly Point[]): Point[] {
  return points.slice(1).flatMap((to, i) => {
    const from = points[i] as Point;
    return Array.from({ length: LINE_SAMPLES + 1 }, (_, k): Point => {
      const share = k / LINE_SAMPLES;
      return [from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1])];
    });
  });
}

function longerSide([x1, y1, x2, y2]: Box): number {
  return Math.max(x2 - x1, y2 - y1);
}
