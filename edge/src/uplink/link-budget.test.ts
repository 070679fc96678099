import { setMaxListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LinkBudget, type UploadTurn } from './link-budget.ts';

const SIGNAL = new AbortController().signal;
setMaxListeners(32, SIGNAL);
const CHUNK = 8_192;

describe('LinkBudget', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const clock = { monotonicMs: () => performance.now() };

  /** Takes chunks one after another until the returned list is no longer read. */
  function pour(budget: LinkBudget, turn: UploadTurn): { bytes: number } {
    const poured = { bytes: 0 };
    const next = async (): Promise<void> => {
      await budget.take(CHUNK, turn, SIGNAL);
      poured.bytes += CHUNK;
      void next();
    };
    void next();
    return poured;
  }

  it('holds its rate, whatever the number of flows', async () => {
    const budget = new LinkBudget({ bitsPerSecond: 1_000_000, clock });
    const flows = Array.from({ length: 8 }, () => pour(budget, 'wanted'));
    await vi.advanceTimersByTimeAsync(10_000);
    const bytes = flows.reduce((sum, flow) => sum + flow.bytes, 0);
    expect(bytes / 1_250_000).toBeGreaterThan(0.98);
    expect(bytes / 1_250_000).toBeLessThan(1.03);
    expect(budget.sent.wanted).toBe(bytes);
  });

  it('lets pictures go before originals, which keep moving', async () => {
    const budget = new LinkBudget({ bitsPerSecond: 1_000_000, clock });
    const original = pour(budget, 'wanted');
    await vi.advanceTimersByTimeAsync(1_000);
    const before = original.bytes;
    const picture = pour(budget, 'derived');
    await vi.advanceTimersByTimeAsync(4_000);
    const share = (original.bytes - before) / (original.bytes - before + picture.bytes);
    expect(share).toBeGreaterThan(0.05);
    expect(share).toBeLessThan(0.2);
  });

  it('gives an original that is waited for as many turns as a picture, and counts it as asked for', async () => {
    const budget = new LinkBudget({ bitsPerSecond: 1_000_000, clock });
    const original = pour(budget, 'awaited');
    const picture = pour(budget, 'derived');
    await vi.advanceTimersByTimeAsync(4_000);
    expect(original.bytes / picture.bytes).toBeCloseTo(1, 1);
    expect(budget.sent).toEqual({ derived: picture.bytes, wanted: original.bytes, idle: 0 });
  });

  it('without a rate holds nobody up', async () => {
    const budget = new LinkBudget({ clock });
    await budget.take(1_000_000_000, 'idle', SIGNAL);
    expect(budget.sent).toEqual({ derived: 0, wanted: 0, idle: 1_000_000_000 });
  });

  it('forgets who stops waiting', async () => {
    const budget = new LinkBudget({ bitsPerSecond: 8_000, clock });
    const stop = new AbortController();
    await budget.take(CHUNK, 'wanted', SIGNAL);
    const waiting = budget.take(CHUNK, 'wanted', stop.signal);
    stop.abort(new Error('stopped'));
    await expect(waiting).rejects.toThrow('stopped');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(budget.sent.wanted).toBe(CHUNK);
  });
});
