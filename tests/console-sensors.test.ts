import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastify, { type FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { type Browser, chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ApiReady, runApi } from '../cloud/src/api/run-api.ts';
import { addSeriesRoutes } from '../cloud/src/ingestor/series-routes.ts';
import { DuckdbSeriesStore } from '../cloud/src/store/duckdb-series-store.ts';
import type { SeriesPoint } from '../cloud/src/store/series-store.ts';

const TOKEN = 'token';
const MINUTE_MS = 60_000;
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];

let folder: string;
let series: DuckdbSeriesStore;
let keeper: FastifyInstance;
let ready: ApiReady;
let api: Promise<void>;
let browser: Browser;
let page: Page;
const stop = new AbortController();
const complaints: string[] = [];

/** Two days of a gauge with a gap and a bad reading, and a microphone that has fallen silent. */
function listReadings(nowMs: number): SeriesPoint[] {
  const origin = {
    site: 'junction-1',
    node: 'gw-1',
    outboxId: '11111111-1111-4111-8111-111111111111',
    ordinal: 0,
  };
  const points: SeriesPoint[] = [];
  for (let age = 288; age >= 1; age--) {
    if (age > 60 && age < 90) continue;
    const value = 1.4 + 0.5 * Math.sin(age / 30) + 0.02 * Math.sin(age * 7);
    const at = new Date(nowMs - age * 5 * MINUTE_MS).toISOString();
    const reading = {
      metric: 'waterLevel',
      unit: 'm',
      quality: 'good',
      tags: { sensor: 'canal-gauge' },
    } as const;
    points.push({ ...origin, ...reading, at, value, seq: points.length + 1 });
  }
  const at = new Date(nowMs - 90_000).toISOString();
  const bad = { metric: 'waterLevel', unit: 'm', quality: 'bad', tags: { sensor: 'canal-gauge' } } as const;
  points.push({ ...origin, ...bad, at, value: 9.99, seq: points.length + 1 });
  const quiet = {
    metric: 'airTemperature',
    unit: 'Cel',
    tags: { sensor: 'mast' },
    at: new Date(nowMs - 3 * 3_600_000).toISOString(),
  };
  points.push({ ...origin, ...quiet, node: 'gw-2', value: 31.25, seq: points.length + 1 });
  return points;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ngatu-sensors-'));
  const root = fileURLToPath(new URL('../cloud/console', import.meta.url));
  const outDir = join(folder, 'console');
  const options = { configFile: join(root, 'vite.config.ts'), logLevel: 'warn' } as const;
  await build({ root, ...options, build: { outDir, emptyOutDir: true } });
  series = await DuckdbSeriesStore.open(join(folder, 'series.duckdb'));
  keeper = fastify({ logger: false });
  addSeriesRoutes(keeper, { series, internalToken: TOKEN });
  await keeper.listen({ host: '127.0.0.1', port: 0 });
  const { port } = keeper.server.address() as AddressInfo;
  ready = await new Promise<ApiReady>((resolve, reject) => {
    const config = {
      dataDir: join(folder, 'data'),
      consoleDir: outDir,
      listen: { host: '127.0.0.1', port: 0 },
      ingestorUrl: `http://127.0.0.1:${port}`,
      internalToken: TOKEN,
      logger: pino({ level: 'silent' }),
    };
    api = runApi(config, resolve, stop.signal);
    api.catch(reject);
  });
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'vi-VN' });
  page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on('pageerror', (error) => complaints.push(`thrown: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()}`);
  });
}, 240_000);

afterAll(async () => {
  await browser?.close();
  stop.abort();
  await api;
  await keeper?.close();
  await series?.close();
  await rm(folder, { recursive: true, force: true });
});

it('shows sensors with their last reading, unit and quality, and draws their course', async () => {
  await page.goto(ready.url);
  await page.getByLabel('Tên đăng nhập').fill(ready.firstSignIn?.username ?? '');
  await page.getByLabel('Mật khẩu').fill(ready.firstSignIn?.password ?? '');
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: 'Cảm biến' }).click();
  await page.getByText('Chưa có cảm biến nào gửi số đo.').waitFor();

  await series.write(listReadings(Date.now()));
  await page.reload();
  const gauge = page.locator('tr[data-sensor="canal-gauge"]');
  await gauge.waitFor();
  expect(await gauge.innerText()).toMatch(/mực nước\s+9,99 m\s+⊘\s+hỏng/);
  const mast = page.locator('tr[data-sensor="mast"]');
  expect(await mast.innerText()).toMatch(/nhiệt độ không khí\s+31,3 °C\s+\?\s+không rõ[\s\S]*im từ 3 giờ/);
  await gauge.locator('svg.sparkline path').waitFor();
  const figure = page.getByRole('region', { name: 'canal-gauge: mực nước' });
  await figure.locator('canvas').waitFor();
  expect(await figure.innerText()).toContain('cao nhất');

  // What is bad is drawn on demand alone.
  const heights = (): Promise<string> =>
    gauge
      .locator('svg.sparkline path')
      .getAttribute('d')
      .then((path) => path ?? '');
  const before = await heights();
  await page.getByLabel('Vẽ cả số đo hỏng').check();
  await expect.poll(heights, { timeout: 20_000 }).not.toBe(before);

  await page.getByRole('button', { name: 'English' }).click();
  await mast.getByRole('button', { name: 'mast' }).click();
  await page.getByRole('region', { name: 'mast: air temperature' }).locator('canvas').waitFor();
  const picture = process.env['NGATU_TEST_SHOTS'];
  if (picture !== undefined) await page.screenshot({ path: join(picture, 'sensors.png') });
  expect(complaints).toEqual([]);
});
