import { NgatuError } from '@ngatu/contract';
import { describe, expect, it } from 'vitest';
import type { Frame } from '../frame/frame.ts';
import type { Box } from '../geometry/box.ts';
import { type CloseUpChoice, CloseUpDetector } from './close-up.ts';
import type { Detection, Detector, RoadPart } from './detection.ts';

const SOURCE = { width: 640, height: 480 };
/** Smaller squares than this are not seen, px of the picture that is looked at. */
const MIN_SIDE_PX = 10;

/** A black picture with white squares; grey ones are lamps. `scale`: analysed pixels of a source pixel. */
function draw(squares: readonly { box: Box; luma?: number }[], scale = 1): Frame {
  const [width, height] = [SOURCE.width * scale, SOURCE.height * scale];
  const pixels = new Uint8Array(3 * width * height);
  for (const { box, luma = 250 } of squares) {
    const [x1, y1, x2, y2] = box.map((value) => Math.round(value * scale)) as [
      number,
      number,
      number,
      number,
    ];
    for (let y = y1; y < y2; y++) pixels.fill(luma, 3 * (y * width + x1), 3 * (y * width + x2));
  }
  return {
    ...{ session: 's', index: 0, mediaTimeMs: 0, capturedAtMs: 0, clockErrorMs: 0 },
    ...{ width, height, pixels, sourceWidth: SOURCE.width, sourceHeight: SOURCE.height, lamps: [] },
  };
}

/** Finds bright rectangles by their pixels, if they are not too small: surer of larger ones. */
class SquareDetector implements Detector {
  readonly model = { name: 'squares', sha256: 'a'.repeat(64) };
  readonly looks: [width: number, height: number][] = [];
  isClosed = false;

  async detect(frame: Frame, parts?: RoadPart[]): Promise<Detection[]> {
    this.looks.push([frame.width, frame.height]);
    expect(frame.pixels).toHaveLength(3 * frame.width * frame.height);
    const luma = (x: number, y: number) => frame.pixels[3 * (y * frame.width + x)] ?? 0;
    const isLit = (x: number, y: number) => x >= 0 && y >= 0 && luma(x, y) > 60;
    const found: Detection[] = [];
    for (let y = 0; y < frame.height; y++) {
      for (let x = 0; x < frame.width; x++) {
        if (!isLit(x, y) || isLit(x - 1, y) || isLit(x, y - 1)) continue;
        let [right, bottom] = [x, y];
        while (right < frame.width && isLit(right, y)) right += 1;
        while (bottom < frame.height && isLit(x, bottom)) bottom += 1;
        const side = Math.sqrt((right - x) * (bottom - y));
        if (side < MIN_SIDE_PX) continue;
        const [sx, sy] = [frame.sourceWidth / frame.width, frame.sourceHeight / frame.height];
        const box: Box = [x * sx, y * sy, right * sx, bottom * sy];
        const confidence = Math.min(0.99, side / 100);
        if (luma((x + right) >> 1, (y + bottom) >> 1) > 200)
          found.push({ label: 'motorbike', confidence, box, holdsRiders: true });
        else parts?.push({ label: 'traffic-light', confidence, box });
      }
    }
    return found;
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}

const FAR: [number, number, number, number] = [200, 100, 440, 200];

function expectNear(box: Box | undefined, wanted: Box, px: number): void {
  for (const [index, value] of wanted.entries())
    expect(Math.abs((box?.[index] ?? Number.NaN) - value)).toBeLessThanOrEqual(px);
}

describe('CloseUpDetector', () => {
  it('finds what is too small in the whole picture, where it is in the source picture', async () => {
    const frame = draw([{ box: [300, 140, 307, 147] }, { box: [500, 300, 507, 307] }]);
    const inner = new SquareDetector();
    expect(await inner.detect(frame)).toEqual([]);
    const found = await new CloseUpDetector(inner, { closeUps: [{ box: FAR, enlarge: 2 }] }).detect(frame);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ label: 'motorbike', holdsRiders: true });
    expectNear(found[0]?.box, [300, 140, 307, 147], 1);
    expect(inner.looks.at(-1)).toEqual([480, 200]);
  });

  it('keeps one finding of what both find, the surer, and all in order of confidence', async () => {
    const frame = draw([{ box: [300, 140, 320, 160] }, { box: [100, 300, 130, 330] }]);
    const closeUps = [{ box: FAR, enlarge: 2 }];
    const found = await new CloseUpDetector(new SquareDetector(), { closeUps }).detect(frame);
    expect(found.map(({ confidence }) => Math.round(10 * confidence))).toEqual([4, 3]);
  });

  it('leaves what an inner edge cuts and what is large to the look at the whole picture', async () => {
    const cut: Box = [190, 140, 212, 162];
    const large: Box = [300, 110, 345, 155];
    const closeUps = [{ box: FAR, enlarge: 2 }];
    const found = await new CloseUpDetector(new SquareDetector(), { closeUps }).detect(
      draw([{ box: cut }, { box: large }]),
    );
    expect(found.map(({ box }) => box)).toEqual([large, cut]);
  });

  it('does not take the border of the picture for an edge that cuts', async () => {
    const corner: Box = [633, 0, 640, 7];
    const closeUps: CloseUpChoice['closeUps'] = [{ box: [400, 0, 700, 200], enlarge: 2 }];
    const found = await new CloseUpDetector(new SquareDetector(), { closeUps }).detect(
      draw([{ box: corner }]),
    );
    expect(found).toHaveLength(1);
    expectNear(found[0]?.box, corner, 1);
  });

  it('looks at the whole picture smaller where it is told to, and takes the part from the picture as it is', async () => {
    const small: Box = [300, 140, 310, 150];
    const frame = draw([{ box: small }, { box: [100, 300, 140, 340] }], 2);
    const inner = new SquareDetector();
    const looking = new CloseUpDetector(inner, { closeUps: [{ box: FAR, enlarge: 2 }], overviewWidth: 320 });
    const found = await looking.detect(frame);
    expect(inner.looks).toEqual([
      [320, 240],
      [480, 200],
    ]);
    expect(found).toHaveLength(2);
    expectNear(found.find(({ box }) => box[1] < 200)?.box, small, 0.5);
  });

  it('tells lamps of a part too, once, to who asks for them', async () => {
    const frame = draw([
      { box: [300, 140, 307, 147], luma: 120 },
      { box: [340, 140, 356, 156], luma: 120 },
    ]);
    const looking = new CloseUpDetector(new SquareDetector(), { closeUps: [{ box: FAR, enlarge: 2 }] });
    const parts: RoadPart[] = [];
    expect(await looking.detect(frame, parts)).toEqual([]);
    expect(parts.map(({ label }) => label)).toEqual(['traffic-light', 'traffic-light']);
    expect(await looking.detect(frame)).toEqual([]);
  });

  it('sees the whole picture alone where a smaller picture came than the part lies in', async () => {
    const inner = new SquareDetector();
    const looking = new CloseUpDetector(inner, { closeUps: [{ box: [700, 500, 900, 700], enlarge: 1 }] });
    expect(await looking.detect(draw([{ box: [300, 140, 330, 170] }]))).toHaveLength(1);
    expect(inner.looks).toHaveLength(1);
  });

  it('hands on a failure of the network, and closes it', async () => {
    const inner = new SquareDetector();
    const looking = new CloseUpDetector(inner, { closeUps: [{ box: FAR, enlarge: 1 }] });
    expect(looking.model).toEqual(inner.model);
    const failure = new NgatuError('MODEL_INVALID', 'Cannot run model "squares"', { retryable: true });
    inner.detect = () => Promise.reject(failure);
    await expect(looking.detect(draw([]))).rejects.toBe(failure);
    await looking.close();
    expect(inner.isClosed).toBe(true);
  });
});
