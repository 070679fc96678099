import { describe, expect, it } from 'vitest';
import type { Box } from '../geometry/box.ts';
import { aFrameMark, aTrack } from '../testing/builder.ts';
import { forAll, type SeededRandom } from '../testing/seeded-random.ts';
import type { RuleContext } from './rule.ts';
import { StandingGauge } from './standing-gauge.ts';
import { TrackHistory } from './track-history.ts';

function follow(
  boxAt: (atMs: number) => Box,
  { fps = 10, untilMs = 10_000, groundSeen = true } = {},
): StandingGauge {
  const gauge = new StandingGauge();
  for (let atMs = 0; atMs <= untilMs; atMs += 1000 / fps) {
    const context: RuleContext = {
      frame: aFrameMark({ mediaTimeMs: atMs }),
      pictureWidth: 640,
      pictureHeight: 480,
      tracks: [aTrack({ box: boxAt(atMs), groundSeen })],
      history: new TrackHistory(),
      signalAt: () => undefined,
    };
    gauge.update(context);
  }
  return gauge;
}

const at = (x: number, y: number): Box => [x, y, x + 80, y + 60];
const jitter = (box: Box, random: SeededRandom): Box =>
  box.map((side, i) => side + 0.03 * (i % 2 === 0 ? 80 : 60) * random.gaussian()) as unknown as Box;

describe('StandingGauge', () => {
  it('knows how long a road user stands, through jitter', () => {
    forAll(20, (random) => {
      const gauge = follow(() => jitter(at(100, 100), random));
      expect(gauge.standingMsOf(1)).toBeGreaterThan(9900);
      expect(gauge.hasMoved(1)).toBe(false);
    });
  });

  it('counts from the stop, whatever the frame rate, and keeps the direction', () => {
    for (const fps of [5, 12, 30]) {
      const gauge = follow((atMs) => at(100 + 0.05 * Math.min(atMs, 6000), 100), { fps });
      expect(Math.abs(gauge.standingMsOf(1) - 4000)).toBeLessThan(500);
      expect(gauge.headingOf(1)?.[0]).toBeGreaterThan(0.99);
    }
  });

  it('never lets a steady crawl stand for longer than it takes to leave the radius', () => {
    forAll(50, (random) => {
      const pxPerS = random.between(4, 100);
      const gauge = follow((atMs) => at(100 + (pxPerS * atMs) / 1000, 100));
      // radius 2 + 60 / 4 px, and two frames
      expect(gauge.standingMsOf(1)).toBeLessThanOrEqual((17 / pxPerS) * 1000 + 200);
    });
  });

  it('says nothing of a road user whose ground contact is hidden', () => {
    expect(follow(() => at(100, 100), { groundSeen: false }).standingMsOf(1)).toBe(0);
  });
});
