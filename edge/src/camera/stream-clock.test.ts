import { describe, expect, it } from 'vitest';
import { StreamClock } from './stream-clock.ts';

const ORIGIN_MS = 1_700_000_000_000;

/** Feeds pictures every 40 ms; `delayMs` says how late each arrives. */
function feed(clock: StreamClock, from: number, to: number, delayMs: (mediaMs: number) => number): void {
  for (let mediaMs = from; mediaMs < to; mediaMs += 40)
    clock.observe(mediaMs, ORIGIN_MS + mediaMs + delayMs(mediaMs));
}

describe('StreamClock', () => {
  it('is not led astray by a burst of old pictures on joining', () => {
    const clock = new StreamClock();
    // 4 s of old pictures arrive within 100 ms, then live ones with 30 to 50 ms of delay.
    feed(clock, 0, 4_000, (media) => 4_000 - media + (media / 4_000) * 100);
    expect(clock.isFrozen).toBe(false);
    feed(clock, 4_000, 8_000, (media) => 30 + ((media / 40) % 3) * 10);
    expect(clock.isFrozen).toBe(true);
    expect(clock.anchor.anchorMs).toBe(ORIGIN_MS + 30);
    expect(clock.anchor.errorMs).toBeLessThanOrEqual(20);
  });

  it('never moves the captured instant backwards while it settles', () => {
    const clock = new StreamClock();
    let last = 0;
    for (let media = 0; media < 3_000; media += 40) {
      clock.observe(media, ORIGIN_MS + 3_000 + media / 30);
      const captured = clock.anchor.anchorMs + media;
      expect(captured).toBeGreaterThanOrEqual(last);
      last = captured;
    }
    expect(clock.anchor.errorMs).toBeGreaterThanOrEqual(2_000);
  });

  it('keeps the anchor, and adds what a drifting camera clock runs away by to the error', () => {
    const clock = new StreamClock();
    feed(clock, 0, 4_000, () => 20);
    const { anchorMs } = clock.anchor;
    feed(clock, 4_000, 600_000, (media) => 20 + media * 0.0005);
    expect(clock.anchor.anchorMs).toBe(anchorMs);
    expect(clock.anchor.errorMs).toBeGreaterThan(280);
    expect(clock.anchor.errorMs).toBeLessThan(305);
    expect(clock.hasMoved).toBe(false);
  });

  it('settles anew, without a new session, where it was frozen during a backlog', () => {
    const clock = new StreamClock();
    feed(clock, 0, 4_000, () => 2_500);
    expect(clock.isFrozen).toBe(true);
    feed(clock, 4_000, 4_400, () => 40);
    expect(clock.isFrozen).toBe(false);
    expect(clock.hasMoved).toBe(false);
    expect(clock.anchor.errorMs).toBeGreaterThanOrEqual(2_000);
    feed(clock, 4_400, 8_000, () => 40);
    expect(clock.isFrozen).toBe(true);
    expect(clock.anchor.anchorMs).toBe(ORIGIN_MS + 40);
  });

  it('asks for a new session when the node clock is set back, at once', () => {
    const clock = new StreamClock();
    feed(clock, 0, 4_000, () => 20);
    clock.observe(4_000, ORIGIN_MS + 4_000 - 5_000);
    expect(clock.hasMoved).toBe(true);
  });

  it('asks for a new session when pictures stay late for a whole window, not for one late picture', () => {
    const clock = new StreamClock();
    feed(clock, 0, 20_000, (media) => (media === 5_000 ? 4_000 : 20));
    expect(clock.hasMoved).toBe(false);
    feed(clock, 20_000, 50_000, () => 5_000);
    expect(clock.hasMoved).toBe(true);
  });

  it.each([
    ['forward', 3_600_000],
    ['back', -3_600_000],
  ])('asks for a new session at the first picture after the clock was set %s by an hour', (_, stepMs) => {
    for (const settledMs of [400, 20_000]) {
      const clock = new StreamClock();
      feed(clock, 0, settledMs, () => 20);
      expect(clock.hasMoved).toBe(false);
      clock.observe(settledMs, ORIGIN_MS + settledMs + stepMs);
      expect(clock.hasMoved).toBe(true);
    }
  });
});
