import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Detection, Detector, Frame, RoadPart } from '@ngatu/edge';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { evaluateDetector } from './detector-evaluation.ts';
import { formatDetectorComparison, formatDetectorTable } from './detector-table.ts';

const ALL = new Set(['person', 'bicycle', 'car', 'motorbike', 'bus', 'truck', 'traffic-light', 'plate']);
const SIGNAL = new AbortController().signal;

/** Tells what it was made with, in source pixels of 200×100 pictures, and remembers how wide they came. */
class PaperDetector implements Detector {
  readonly model = { name: 'paper', sha256: '0'.repeat(64) };
  readonly widths: number[] = [];
  readonly #found: readonly Detection[];
  readonly #parts: readonly RoadPart[];

  constructor(found: readonly Detection[], parts: readonly RoadPart[] = []) {
    this.#found = found;
    this.#parts = parts;
  }

  async detect(frame: Frame, parts?: RoadPart[]): Promise<Detection[]> {
    this.widths.push(frame.width);
    parts?.push(...this.#parts);
    return [...this.#found];
  }

  async close(): Promise<void> {}
}

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ngatu-detector-'));
  await mkdir(join(dir, 'images'));
  await mkdir(join(dir, 'labels'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function writePicture(name: string, grey: number, labels: string): Promise<void> {
  const background = { r: grey, g: grey, b: grey };
  const picture = sharp({ create: { width: 200, height: 100, channels: 3, background } });
  await writeFile(join(dir, 'images', `${name}.png`), await picture.png().toBuffer());
  await writeFile(join(dir, 'labels', `${name}.txt`), labels);
}

const CAR: Detection = { label: 'car', confidence: 0.9, box: [0, 0, 40, 40] };

describe('evaluateDetector', () => {
  it('judges road users, lamps and plates by the names of the folder, whatever their order and case', async () => {
    await writeFile(join(dir, 'data.yaml'), 'names: [PLATE, TRAFFIC_LIGHT, CAR, TREE]\n');
    await writePicture('day', 200, '0 0.55 0.05 0.1 0.1\n2 0.1 0.2 0.2 0.4\n3 0.5 0.5 0.1 0.1\n');
    await writePicture('night', 10, '1 0.8 0.5 0.9 0.5 0.9 0.9 0.8 0.9\n');
    const detector = new PaperDetector(
      [CAR],
      [
        { label: 'plate', confidence: 0.8, box: [100, 0, 120, 10] },
        { label: 'traffic-light', confidence: 0.7, box: [160, 50, 180, 90] },
      ],
    );
    const metrics = await evaluateDetector({ dataDir: dir, detector, labels: ALL, raw: false }, SIGNAL);
    expect(metrics.pictures).toEqual({ day: 1, night: 1 });
    expect(metrics.classes.map(({ name, truths }) => [name, truths])).toEqual([
      ['car', 1],
      ['plate', 1],
      ['traffic-light', 1],
    ]);
    // of the two equally sure findings of each label, one lies in the picture where the object is not
    for (const { best } of metrics.classes) expect(best).toMatchObject({ precision: 0.5, recall: 1 });
    expect(metrics.unknownClasses).toEqual([{ name: 'TREE', truths: 1 }]);
    const lamp = metrics.classes[2];
    expect(lamp?.byLight.night.truths).toBe(1);
    expect(lamp?.byLight.day.truths).toBe(0);
  });

  it('does not judge a class that the model has not', async () => {
    await writeFile(join(dir, 'classes.txt'), 'plate\ncar\n');
    await writePicture('a', 200, '0 0.5 0.5 0.1 0.1\n1 0.1 0.2 0.2 0.4\n');
    const labels = new Set(['car']);
    const detector = new PaperDetector([CAR]);
    const metrics = await evaluateDetector({ dataDir: dir, detector, labels, raw: false }, SIGNAL);
    expect(metrics.classes.map(({ name, ap50 }) => [name, ap50])).toEqual([['car', 1]]);
    expect(metrics.unknownClasses).toEqual([{ name: 'plate', truths: 1 }]);
  });

  it('joins riders with their motorbike, unless raw findings are asked for', async () => {
    await writePicture('a', 200, '0 0.5 0.5 0.2 0.8\n');
    const detector = new PaperDetector([
      { label: 'motorbike', confidence: 0.9, box: [80, 55, 120, 90] },
      { label: 'person', confidence: 0.8, box: [85, 10, 115, 75] },
    ]);
    const joined = await evaluateDetector({ dataDir: dir, detector, labels: ALL, raw: false }, SIGNAL);
    const raw = await evaluateDetector({ dataDir: dir, detector, labels: ALL, raw: true }, SIGNAL);
    expect(joined.classes[0]).toMatchObject({ name: 'motorbike', ap50: 1 });
    expect(raw.classes[0]).toMatchObject({ name: 'motorbike', ap50: 0 });
  });

  it('shows pictures at the width that is asked for, and counts sizes in those pixels', async () => {
    await writeFile(join(dir, 'classes.txt'), 'car\n');
    await writePicture('a', 200, '0 0.1 0.2 0.2 0.4\n');
    const detector = new PaperDetector([CAR]);
    const base = { dataDir: dir, detector, labels: ALL, raw: false };
    const half = await evaluateDetector({ ...base, maxWidth: 100 }, SIGNAL);
    const native = await evaluateDetector(base, SIGNAL);
    expect(detector.widths).toEqual([100, 200]);
    expect(half.classes[0]?.bySize.small.truths).toBe(1);
    expect(native.classes[0]?.bySize.medium.truths).toBe(1);
    const table = formatDetectorComparison([half, native]).split('\n');
    expect(table[1]).toMatch(/^detector +width +ms p50 +ms p95 +car \(1\)$/);
    expect(table[2]).toMatch(/^paper +100 .* 1\.000 \/ 1\.000$/);
    expect(table[3]).toMatch(/^paper +native /);
    expect(formatDetectorTable(native)).toContain('at their own width: 1 pictures by day, 0 by night');
  });
});
