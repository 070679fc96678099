import { describe, expect, it } from 'vitest';
import type { Box } from '../geometry/box.ts';
import { aFrameMark, aTrack } from '../testing/builder.ts';
import { forAll, type SeededRandom } from '../testing/seeded-random.ts';
import type { RuleContext } from './rule.ts';
import { StandingGauge } from './standing-gauge.ts';
import { TrackHistory } from './track-history.ts';

function follow(
  boxAt: (atMs: number) => Box,
  { fps = 10, untilMs = 10_000, groundSeen = true, patienceMs = 0 } = {},
): StandingGauge {
  const gauge = new StandingGauge(patienceMs);
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

  it('takes a box that is covered from one side for the same standing, one that moves on for motion', () => {
    const cut = follow((atMs) => (atMs < 5000 ? at(100, 100) : [150, 100, 180, 160]));
    expect(cut.standingMsOf(1)).toBe(10_000);
    const moved = follow((atMs) => (atMs < 5000 ? at(100, 100) : [150, 100, 200, 160]));
    expect(moved.standingMsOf(1)).toBe(5000);
  });

  it('waits for a second opinion on a sight that is astray by little where it was told to', () => {
    const badly = (atMs: number): Box => (atMs % 2000 === 0 ? at(124, 100) : at(100, 100));
    expect(follow(badly, { untilMs: 9900 }).standingMsOf(1)).toBeLessThan(2000);
    expect(follow((atMs) => badly(atMs + 1000), { untilMs: 9900, patienceMs: 600 }).standingMsOf(1)).toBe(
      9900,
    );
    const away = follow((atMs) => (atMs < 5000 ? at(100, 100) : at(150, 100)), { patienceMs: 600 });
    expect(away.standingMsOf(1)).toBe(5000);
  });
});
