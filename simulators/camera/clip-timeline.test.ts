import { describe, expect, it } from 'vitest';
import type { AccessUnit, Clip } from './clip.ts';
import { ClipTimeline } from './clip-timeline.ts';

/** Builds a clip from [pts, dts, K for a keyframe] in ms. */
function aClip(pictures: readonly (readonly [number, number, 'K'?])[], fields: Partial<Clip> = {}): Clip {
  const accessUnits: AccessUnit[] = pictures.map(([pts, dts, key]) => ({
    nalUnits: [],
    ptsTicks: pts * 90,
    dtsTicks: dts * 90,
    isKeyframe: key === 'K',
  }));
  const parameterSets = { sps: Buffer.alloc(4), pps: Buffer.alloc(1) };
  const shown = pictures.map(([pts]) => pts);
  const durationTicks = (Math.max(...shown) + 40) * 90;
  return {
    codec: 'h264',
    width: 2,
    height: 2,
    originMs: 0,
    parameterSets,
    accessUnits,
    durationTicks,
    ...fields,
  };
}

/** I B B P and so on: shown 0, 40, 80, 120; the P-frame is decoded before the B-frames. */
const REORDERED = aClip([
  [0, -40, 'K'],
  [120, 0],
  [40, 40],
  [80, 80],
  [160, 120, 'K'],
  [200, 160],
]);

describe('ClipTimeline', () => {
  it('sends no picture before the camera has seen it, and keeps the order across the loop', () => {
    const timeline = new ClipTimeline(REORDERED);
    let previousMs = 0;
    for (let n = 0; n < 30; n += 1) {
      const { unit, loop } = timeline.accessUnitAt(n);
      const sendMs = timeline.computeSendMs(n);
      expect(sendMs).toBeGreaterThanOrEqual(unit.ptsTicks / 90 + loop * 240);
      expect(sendMs).toBeGreaterThanOrEqual(previousMs);
      previousMs = sendMs;
    }
  });

  it('finds what is due, at every instant, as a scan over all access units does', () => {
    const timeline = new ClipTimeline(REORDERED);
    const scan = (elapsedMs: number) => {
      let n = -1;
      while (timeline.computeSendMs(n + 1) <= elapsedMs) n += 1;
      return n;
    };
    for (let elapsedMs = -50; elapsedMs < 1_000; elapsedMs += 1) {
      expect(timeline.findDue(elapsedMs), `at ${elapsedMs} ms`).toBe(scan(elapsedMs));
    }
  });

  it('finds the keyframe of each group of pictures', () => {
    const timeline = new ClipTimeline(REORDERED);
    expect([0, 1, 3, 4, 5, 6, 9, 10, 11].map((n) => timeline.findKeyframe(n))).toEqual([
      0, 0, 0, 4, 4, 6, 6, 10, 10,
    ]);
  });

  it('counts RTP time on through loops and wraps at 32 bits', () => {
    const timeline = new ClipTimeline(REORDERED);
    expect(timeline.computeRtpTime(6)).toBe(240 * 90);
    const loop = Math.ceil(2 ** 32 / (240 * 90));
    expect(timeline.computeRtpTime(loop * 6)).toBe(loop * 240 * 90 - 2 ** 32);
  });

  it('tells the position at an instant and the instant of a position', () => {
    const timeline = new ClipTimeline(
      aClip(
        [
          [0, 0, 'K'],
          [40, 40],
        ],
        { originMs: 1_860 },
      ),
    );
    expect(timeline.positionAt(0)).toEqual({ loop: 0, mediaTimeMs: 1_860 });
    expect(timeline.positionAt(79)).toEqual({ loop: 0, mediaTimeMs: 1_939 });
    expect(timeline.positionAt(170)).toEqual({ loop: 2, mediaTimeMs: 1_870 });
    for (let elapsedMs = 0; elapsedMs < 500; elapsedMs += 7) {
      expect(timeline.elapsedAt(timeline.positionAt(elapsedMs))).toBeCloseTo(elapsedMs, 6);
    }
  });
});
