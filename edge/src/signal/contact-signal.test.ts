import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InputSignalSource } from '@ngatu/contract';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runContactReader } from './contact-reader.ts';
import { ContactSignal } from './contact-signal.ts';

const contact = (state: 'red' | 'amber' | 'green', path = `/${state}`) => ({ path, state, activeLow: false });
const LINE = { kind: 'input', pollMs: 10, debounceMs: 50 } as const;
const RED_ONLY: InputSignalSource = { ...LINE, contacts: [contact('red')], otherwise: 'green' };
const BOTH: InputSignalSource = {
  ...LINE,
  contacts: [contact('red'), contact('green')],
  otherwise: 'amber',
};

/** Feeds `levelsAt` every 10 ms from `fromMs` to `toMs`. */
function feed(
  signal: ContactSignal,
  span: { fromMs: number; toMs: number },
  levelsAt: (atMs: number) => readonly (0 | 1 | undefined)[],
): void {
  for (let atMs = span.fromMs; atMs < span.toMs; atMs += 10) signal.add(levelsAt(atMs), atMs);
}

describe('contacts parallel to the lenses', () => {
  it('tell a phase from its first reading on, once it has held', () => {
    const signal = new ContactSignal(RED_ONLY);
    feed(signal, { fromMs: 0, toMs: 3_000 }, () => [0]);
    feed(signal, { fromMs: 3_000, toMs: 3_040 }, () => [1]);
    expect(signal.phaseAt(3_030)?.state).toBe('green');
    feed(signal, { fromMs: 3_040, toMs: 5_000 }, () => [1]);
    expect(signal.phaseAt(2_999)).toMatchObject({ state: 'green', onsetSeen: false });
    expect(signal.phaseAt(3_000)).toMatchObject({ state: 'red', sinceMs: 3_000, onsetSeen: true });
  });

  it('bounce without becoming a phase', () => {
    const signal = new ContactSignal(RED_ONLY);
    feed(signal, { fromMs: 0, toMs: 2_000 }, () => [0]);
    feed(signal, { fromMs: 2_000, toMs: 2_060 }, (atMs) => [atMs % 20 === 0 ? 1 : 0]);
    feed(signal, { fromMs: 2_060, toMs: 4_000 }, () => [1]);
    expect(signal.phases).toHaveLength(2);
    expect(signal.phases[1]).toMatchObject({ state: 'red', sinceMs: 2_060, onsetSeen: true });
  });

  it('make no phase of the instant between two lenses, and say unknown where two are lit', () => {
    const signal = new ContactSignal(BOTH);
    feed(signal, { fromMs: 0, toMs: 4_000 }, (atMs) => [atMs < 2_000 ? 1 : 0, atMs < 2_030 ? 0 : 1]);
    expect(signal.phases.map(({ state }) => state)).toEqual(['red', 'green']);
    feed(signal, { fromMs: 4_000, toMs: 6_000 }, () => [1, 1]);
    expect(signal.phaseAt(5_000)).toBeUndefined();
    feed(signal, { fromMs: 6_000, toMs: 8_000 }, () => [0, 0]);
    expect(signal.phaseAt(7_900)).toMatchObject({ state: 'amber', sinceMs: 6_000 });
  });

  it('are unknown while one cannot be read, while they ripple, and where nobody reads them', () => {
    const signal = new ContactSignal(RED_ONLY);
    feed(signal, { fromMs: 0, toMs: 2_000 }, () => [1]);
    feed(signal, { fromMs: 2_000, toMs: 4_000 }, () => [undefined]);
    expect(signal.phaseAt(3_000)).toBeUndefined();
    feed(signal, { fromMs: 4_000, toMs: 6_000 }, (atMs) => [atMs % 20 === 0 ? 1 : 0]);
    expect(signal.phaseAt(5_500)).toBeUndefined();
    feed(signal, { fromMs: 6_000, toMs: 9_000 }, () => [1]);
    expect(signal.phaseAt(8_500)?.state).toBe('red');
    expect(signal.phaseAt(12_000)).toBeUndefined();
  });
});

describe('the reader of contacts', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ngatu-contact-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('follows a file that reads 0 or 1, and says once that it cannot', async () => {
    const path = join(folder, 'value');
    // at once, as a driver does it: a file that is being written is empty for a moment
    const put = async (text: string): Promise<void> => {
      await writeFile(`${path}.new`, text);
      await rename(`${path}.new`, path);
    };
    await put('0\n');
    const source = { ...RED_ONLY, contacts: [contact('red', path)] };
    const signal = new ContactSignal(source);
    const lines: string[] = [];
    const logger = pino({ level: 'warn' }, { write: (line) => void lines.push(line) });
    const stop = new AbortController();
    const clock = { nowMs: () => performance.timeOrigin + performance.now() };
    const running = runContactReader({ source, sink: signal, clock, logger }, stop.signal);
    await expect.poll(() => signal.phaseAt(clock.nowMs())?.state).toBe('green');
    const changedAtMs = clock.nowMs();
    await put('1\n');
    await expect.poll(() => signal.phaseAt(clock.nowMs())?.state, { interval: 5 }).toBe('red');
    const onsetMs = signal.phases.at(-1)?.sinceMs ?? 0;
    expect(onsetMs).toBeGreaterThanOrEqual(changedAtMs);
    // Polled every 10 ms; the machine may have other work.
    expect(onsetMs - changedAtMs).toBeLessThan(1_000);
    await rm(path);
    await expect.poll(() => signal.phaseAt(clock.nowMs())).toBeUndefined();
    await put('high');
    await put('1');
    await expect.poll(() => signal.phaseAt(clock.nowMs())?.state).toBe('red');
    stop.abort();
    await running;
    expect(lines.filter((line) => line.includes('INPUT_UNREADABLE'))).toHaveLength(1);
  });
});
