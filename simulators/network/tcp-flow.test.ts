import { describe, expect, it } from 'vitest';
import { HEADER_BYTES, SEGMENT_BYTES } from './tcp-flow.ts';
import { runTransfer } from './test-transfer.ts';

const SEED = 7;
const COMMUNE = { bitsPerSecond: 4_000_000, roundTripMs: 200, lossFraction: 0.02 };

/** Mathis, Semke, Mahdavi, Ott: The macroscopic behavior of the TCP congestion avoidance algorithm, CCR 27 (3), 1997, eq. 3. */
function computeMathisBound(roundTripMs: number, lossFraction: number): number {
  return ((SEGMENT_BYTES * 8_000) / roundTripMs) * Math.sqrt(1.5 / lossFraction);
}

/** RFC 9438 section 5.1, equation 7: the average window without the Reno-friendly region. */
function computeCubicRate(roundTripMs: number, lossFraction: number): number {
  const window = ((0.4 * 3.7) / (4 * 0.3)) ** 0.25 * (roundTripMs / 1_000 / lossFraction) ** 0.75;
  return ((SEGMENT_BYTES * 8_000) / roundTripMs) * window;
}

describe('a flow over a lossy link', () => {
  it.each([
    { roundTripMs: 200, lossFraction: 0.02 },
    { roundTripMs: 200, lossFraction: 0.005 },
    { roundTripMs: 50, lossFraction: 0.02 },
  ])(
    'with Reno comes near the bound of Mathis and not above it: $roundTripMs ms, $lossFraction',
    (conditions) => {
      const run = runTransfer({ conditions, congestionControl: 'reno', flows: 1, seconds: 200, seed: SEED });
      const share =
        (run.bitsPerSecond[0] ?? 0) / computeMathisBound(conditions.roundTripMs, conditions.lossFraction);
      expect(share).toBeGreaterThan(0.8);
      expect(share).toBeLessThan(1.05);
    },
  );

  it('with CUBIC follows its formula where that lies above Reno', () => {
    const conditions = { roundTripMs: 200, lossFraction: 0.0005 };
    const run = runTransfer({ conditions, congestionControl: 'cubic', flows: 1, seconds: 200, seed: SEED });
    const share = (run.bitsPerSecond[0] ?? 0) / computeCubicRate(200, 0.0005);
    expect(computeCubicRate(200, 0.0005)).toBeGreaterThan(1.5 * computeMathisBound(200, 0.0005));
    expect(share).toBeGreaterThan(0.8);
    expect(share).toBeLessThan(1.2);
  });

  it('with CUBIC at two percent is as slow as Reno: one flow cannot fill the link, eight nearly do', () => {
    const one = runTransfer({
      conditions: COMMUNE,
      congestionControl: 'cubic',
      flows: 1,
      seconds: 150,
      seed: SEED,
    });
    const eight = runTransfer({
      conditions: COMMUNE,
      congestionControl: 'cubic',
      flows: 8,
      seconds: 60,
      seed: SEED,
    });
    expect(one.bitsPerSecond[0]).toBeLessThan(0.15 * COMMUNE.bitsPerSecond);
    const together = eight.bitsPerSecond.reduce((sum, rate) => sum + rate, 0);
    expect(together).toBeGreaterThan(0.7 * COMMUNE.bitsPerSecond);
    expect(together).toBeLessThan(COMMUNE.bitsPerSecond);
  });

  it('with BBR fills the link alone', () => {
    const run = runTransfer({
      conditions: COMMUNE,
      congestionControl: 'bbr',
      flows: 1,
      seconds: 40,
      seed: SEED,
    });
    expect(run.bitsPerSecond[0]).toBeGreaterThan(0.85 * COMMUNE.bitsPerSecond);
  });

  it('never sends more than the line carries, fills it without loss, and drops at the tail', () => {
    const conditions = { bitsPerSecond: 4_000_000, roundTripMs: 200, lossFraction: 0 };
    const run = runTransfer({ conditions, congestionControl: 'cubic', flows: 2, seconds: 60, seed: SEED });
    const payload = SEGMENT_BYTES / (SEGMENT_BYTES + HEADER_BYTES);
    const together = run.bitsPerSecond.reduce((sum, rate) => sum + rate, 0);
    expect(together).toBeLessThanOrEqual(conditions.bitsPerSecond * payload * 1.001);
    expect(together).toBeGreaterThan(conditions.bitsPerSecond * payload * 0.98);
    const { droppedPackets, lostPackets, queueMaxBytes } = run.link.up.statistics;
    expect(lostPackets).toBe(0);
    expect(droppedPackets).toBeGreaterThan(0);
    expect(queueMaxBytes).toBeLessThanOrEqual(100_000);
  });

  it('loses the share that it was told to, and the same packets for the same seed', () => {
    const options = { conditions: COMMUNE, congestionControl: 'reno', flows: 2, seconds: 60 } as const;
    const first = runTransfer({ ...options, seed: 3 });
    const { packets, lostPackets } = first.link.up.statistics;
    expect(lostPackets / packets).toBeGreaterThan(0.016);
    expect(lostPackets / packets).toBeLessThan(0.024);
    expect(runTransfer({ ...options, seed: 3 }).bitsPerSecond).toEqual(first.bitsPerSecond);
    expect(runTransfer({ ...options, seed: 4 }).bitsPerSecond).not.toEqual(first.bitsPerSecond);
  });
});
