import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SeededRandom } from '../testing/seeded-random.ts';
import { explainFinding, type SeriesFinding } from './series-finding.ts';
import { SeriesWatch, type SeriesWatchOptions } from './series-watch.ts';
import { TrainingMeter } from './training-meter.ts';

const STEP_MS = 1_200_000;
const DAY = 72;
const SERIES = 'gauge-1/waterLevel';

let folder: string;
let lines: { code?: string; msg: string }[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ngatu-watch-'));
  lines = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function open(change: Partial<SeriesWatchOptions> = {}): SeriesWatch {
  const logger = pino({ level: 'warn' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const budget = { msPerMinute: 1e9, sliceMs: 1_000, nowMs: () => performance.now() };
  return SeriesWatch.open({ folder, logger, budget, ...change });
}

const aLevel = (random: SeededRandom, step: number): number =>
  1.5 + 0.4 * Math.sin((2 * Math.PI * step) / DAY) + 0.02 * random.gaussian();

async function live(watch: SeriesWatch, values: readonly number[], from = 0): Promise<SeriesFinding[]> {
  const findings: SeriesFinding[] = [];
  for (const [index, value] of values.entries()) {
    const atMs = (from + index) * STEP_MS;
    const finding = watch.observe({ series: SERIES, atMs, value, unit: 'm', quality: 'good' });
    if (finding !== undefined) findings.push(finding);
    if (index % 12 === 0) while (await watch.train());
  }
  return findings;
}

describe('a watch', () => {
  it('finds what is unusual, says it plainly, and goes on after a restart', async () => {
    const random = new SeededRandom(1);
    const values = Array.from({ length: 4 * DAY }, (_, step) => aLevel(random, step));
    const first = open();
    expect(await live(first, values.slice(0, 3 * DAY))).toEqual([]);
    first.save();
    expect(readdirSync(folder)).toHaveLength(1);
    const second = open();
    const rest = [...values.slice(3 * DAY, 3 * DAY + 20), 4.2];
    const findings = await live(second, rest, 3 * DAY);
    expect(findings).toHaveLength(1);
    const [finding] = findings;
    if (finding === undefined) throw new Error('nothing was found');
    expect(finding).toMatchObject({ kind: 'anomaly', series: SERIES, value: 4.2, unit: 'm' });
    expect(finding).toEqual((await live(first, rest, 3 * DAY))[0]);
    expect(finding.modelVersion).toBeGreaterThan(200);
    expect(explainFinding({ ...finding, cause: 'value' }, 'en')).toMatch(
      /^expected 1\.\d+–\d\.\d+ m at this hour, saw 4\.20? m$/,
    );
    expect(explainFinding({ ...finding, cause: 'jump' }, 'vi')).toMatch(
      /^theo các lần đo trước phải là .* m, đo được 4\.20? m$/,
    );
    expect(lines).toEqual([]);
  });

  it('neither judges nor learns what is bad, uncertain, no number, or late', async () => {
    const random = new SeededRandom(2);
    const watch = open();
    await live(
      watch,
      Array.from({ length: 3 * DAY }, (_, step) => aLevel(random, step)),
    );
    const atMs = 3 * DAY * STEP_MS;
    const reading = { series: SERIES, atMs, value: 50, unit: 'm' };
    expect(watch.observe({ ...reading, quality: 'bad' })).toBeUndefined();
    expect(watch.observe({ ...reading, quality: 'uncertain' })).toBeUndefined();
    expect(watch.observe({ ...reading, value: Number.NaN })).toBeUndefined();
    expect(watch.observe({ ...reading, atMs: atMs - 2 * STEP_MS })).toBeUndefined();
    expect(watch.observe(reading)?.kind).toBe('anomaly');
    expect(watch.observe({ ...reading, atMs: atMs + STEP_MS })).toBeUndefined();
  });

  it('averages readings that come often into steps of a minute', () => {
    const watch = open({ findingEvidence: 0 });
    const values: number[] = [];
    for (let second = 0; second < 100_000; second += 10) {
      const finding = watch.observe({ series: SERIES, atMs: 1e9 + second * 1_000, value: second % 60 });
      if (finding !== undefined) values.push(finding.value);
    }
    expect(values).toEqual([]);
    watch.save();
    const [name = ''] = readdirSync(folder);
    const text = readFileSync(join(folder, name)).subarray(36).toString('latin1');
    expect(/"seen":(\d+)/.exec(text)?.[1]).toBe(String(Math.ceil(100_000 / 60)));
  });

  it.each([
    ['torn', (file: string) => truncateSync(file, 900)],
    ['changed', (file: string) => writeFileSync(file, readFileSync(file).fill(7, 2_000, 2_010))],
    ['empty', (file: string) => truncateSync(file, 0)],
  ])('begins anew where its file is %s, and says so', async (_name, damage) => {
    const watch = open();
    await live(
      watch,
      Array.from({ length: DAY }, (_, step) => step % 7),
    );
    watch.save();
    const [name = ''] = readdirSync(folder);
    damage(join(folder, name));
    const next = open();
    expect(await live(next, [1, 2, 3], DAY)).toEqual([]);
    expect(lines.map(({ code }) => code)).toEqual(['LEARNED_STATE_INVALID']);
    next.save();
    lines.length = 0;
    await live(open(), [1], DAY + 5);
    expect(lines).toEqual([]);
  });

  it('says that it cannot write, and goes on', async () => {
    const watch = open();
    await live(watch, [1, 2, 3]);
    rmSync(folder, { recursive: true });
    watch.save();
    expect(lines.map(({ code }) => code)).toEqual(['LEARNED_STATE_UNWRITTEN']);
    expect(await live(watch, [4], 3)).toEqual([]);
  });

  it('watches so many series and names the others once', () => {
    const watch = open({ seriesMax: 2 });
    for (let round = 0; round < 3; round++)
      for (const series of ['a', 'b', 'c']) watch.observe({ series, atMs: round * STEP_MS, value: 1 });
    expect(lines.map(({ msg }) => msg)).toEqual(['Cannot watch c for anomalies: 2 series are watched']);
  });

  it('saves when it is told to stop', async () => {
    const watch = open();
    const stop = new AbortController();
    const running = watch.run(stop.signal);
    watch.observe({ series: SERIES, atMs: STEP_MS, value: 1 });
    stop.abort();
    await running;
    expect(readdirSync(folder).filter((name) => name.endsWith('.series'))).toHaveLength(1);
    expect(existsSync(folder)).toBe(true);
  });
});

describe('the budget of training', () => {
  it('holds over an hour whatever a go costs, and spends what it holds', () => {
    const random = new SeededRandom(8);
    let nowMs = 0;
    let cpuMs = 0;
    const meter = new TrainingMeter({
      msPerMinute: 600,
      sliceMs: 40,
      nowMs: () => nowMs,
      cpuMs: () => cpuMs,
    });
    let longestMs = 0;
    for (; nowMs < 3_600_000; nowMs += 1_000) {
      if (!meter.mayBegin()) continue;
      meter.begin();
      const beganMs = cpuMs;
      let steps = 0;
      while (steps < 64 && meter.mayGoOn()) {
        cpuMs += random.between(1, 12);
        steps++;
      }
      meter.end(steps);
      longestMs = Math.max(longestMs, cpuMs - beganMs);
    }
    expect(longestMs).toBeLessThan(40 + 12);
    expect(meter.spentMs).toBe(cpuMs);
    expect(meter.spentMs).toBeLessThanOrEqual(60 * 600 + 52);
    expect(meter.spentMs).toBeGreaterThan(0.9 * 60 * 600);
  });

  it('stops a watch that has spent it', async () => {
    const budget = { msPerMinute: 30, sliceMs: 10, nowMs: () => 1e6 };
    const random = new SeededRandom(9);
    let nowMs = 0;
    const watch = open({ budget: { ...budget, nowMs: () => nowMs } });
    for (let step = 0; step < 3 * DAY; step++)
      watch.observe({ series: SERIES, atMs: step * STEP_MS, value: aLevel(random, step) });
    for (let go = 0; go < 50; go++) expect(await watch.train()).toBe(true);
    expect(watch.training.steps).toBe(0);
    nowMs = 60_000;
    for (let go = 0; go < 50; go++) await watch.train();
    const { steps, spentMs } = watch.training;
    expect(steps).toBeGreaterThan(0);
    // one go may run over by the length of a step and of drawing its lessons
    expect(spentMs).toBeLessThan(30 + 200);
    for (let go = 0; go < 50; go++) await watch.train();
    expect(watch.training.steps).toBe(steps);
  });
});
