import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { type Browser, chromium, type Page } from 'playwright-core';
import sharp from 'sharp';
import { build } from 'vite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  anEvent,
  anEvidenceFile,
  aPlateFinding,
  openTestCentre,
  PLATE,
  type TestCentre,
} from '../cloud/src/api/api-test-centre.ts';
import { type ApiReady, runApi } from '../cloud/src/api/run-api.ts';

/** The page of a case with a drawn plate, from the machine's reading to a person's correction. */

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];

let folder: string;
let ready: ApiReady;
let api: Promise<void>;
let centre: TestCentre;
let browser: Browser;
let page: Page;
const stop = new AbortController();
const complaints: string[] = [];
/** Addresses that the browser asked for. */
const asked: string[] = [];

function draw(width: number, height: number, body: string): Promise<Buffer> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${body}</svg>`;
  return sharp(Buffer.from(svg)).jpeg().toBuffer();
}

const drawPlate = (
  scale: number,
  x: number,
  y: number,
): string => `<g transform="translate(${x} ${y}) scale(${scale})">
<rect width="190" height="140" rx="8" fill="#f4f4f0" stroke="#222" stroke-width="4"/>
<text x="95" y="60" font-family="monospace" font-weight="bold" font-size="52" text-anchor="middle">99-Z9</text>
<text x="95" y="120" font-family="monospace" font-weight="bold" font-size="52" text-anchor="middle">999.99</text></g>`;

const drawRoad = (): string => `<rect width="1280" height="720" fill="#4a5058"/>
<rect y="470" width="1280" height="14" fill="#eee"/>
<rect x="538" y="288" width="166" height="230" fill="#28425f"/>${drawPlate(0.3, 592, 440)}`;

async function commitCase(number: number, plate: ReturnType<typeof aPlateFinding>): Promise<string> {
  const event = anEvent(number, { capturedAt: new Date(Date.now() - number * 60_000).toISOString() });
  const [still, frame] = [await draw(1280, 720, drawRoad()), await draw(1280, 720, `${drawRoad()}<g/>`)];
  const crop = await draw(320, 236, `<rect width="320" height="236" fill="#28425f"/>${drawPlate(1, 65, 48)}`);
  const derivation = { recipe: 'blur/1 scope=parts faces=x plates=x keep=plate cut=plate', sources: [] };
  centre.commitEvent(event);
  centre.commitManifest(
    event,
    [
      anEvidenceFile(still),
      anEvidenceFile(crop, { role: 'plate-crop', width: 320, height: 236, derivation }),
      anEvidenceFile(frame, { role: 'plate-frame', derivation }),
    ],
    { plate },
  );
  for (const bytes of [still, frame, crop]) await centre.storeFile(bytes);
  return event.eventId;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ngatu-plates-'));
  const root = fileURLToPath(new URL('../cloud/console', import.meta.url));
  const outDir = join(folder, 'console');
  const options = { configFile: join(root, 'vite.config.ts'), logLevel: 'warn' } as const;
  await build({ root, ...options, build: { outDir, emptyOutDir: true } });
  const dataDir = join(folder, 'data');
  ready = await new Promise<ApiReady>((resolve, reject) => {
    const listen = { host: '127.0.0.1', port: 0 };
    const ingestor = { ingestorUrl: 'http://127.0.0.1:1', internalToken: 'token' };
    const logger = pino({ level: 'silent' });
    api = runApi({ dataDir, consoleDir: outDir, listen, ...ingestor, logger }, resolve, stop.signal);
    api.catch(reject);
  });
  centre = await openTestCentre({ dataDir, nowMs: Date.now() });
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });
  const context = await browser.newContext({ viewport: { width: 1280, height: 1100 }, locale: 'vi-VN' });
  page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on('pageerror', (error) => complaints.push(`thrown: ${error.message}`));
  page.on('request', (request) => asked.push(request.url()));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()}`);
  });
}, 240_000);

afterAll(async () => {
  await browser?.close();
  stop.abort();
  await api;
  await centre?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

it('shows what was read and how surely, takes a correction with a reason, and lists a part of it', async () => {
  const eventId = await commitCase(
    1,
    aPlateFinding({
      characters: [...PLATE].map((character, index) => ({
        character,
        confidence: index === 4 ? 0.62 : 0.99,
        alternatives: index === 4 ? [{ character: '8', confidence: 0.31 }] : [],
      })),
    }),
  );
  const { text: _, shown: __, confidence: ___, ...rest } = aPlateFinding();
  const nothing = { ...rest, characters: [], alternatives: [], looks: 0 };
  await commitCase(2, { ...nothing, state: 'not-read', reason: 'model-missing' });
  await page.goto(ready.url);
  await page.getByLabel('Tên đăng nhập').fill(ready.firstSignIn?.username ?? '');
  await page.getByLabel('Mật khẩu').fill(ready.firstSignIn?.password ?? '');
  await page.keyboard.press('Enter');
  const row = page.locator(`[data-event-id="${eventId}"]`);
  await row.getByText('99Z-•••99').waitFor();
  expect(await page.locator('ol.events').innerText()).not.toContain('999.99');
  await row.click();
  const panel = page.getByRole('region', { name: 'Biển số', exact: true });
  await panel.locator('.plate-text', { hasText: '99Z-999.99' }).waitFor();
  const words = await panel.innerText();
  for (const expected of ['Đọc được', 'đúng cả biển: 98', '8 31', '89Z99999 (1', '5 lần đọc trên 8 ảnh'])
    expect(words).toContain(expected);
  await expect
    .poll(() =>
      panel.locator('img').evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth),
    )
    .toBe(320);
  const pictures = process.env['NGATU_TEST_SHOTS'];
  if (pictures !== undefined) await page.screenshot({ path: join(pictures, 'plate.png'), fullPage: true });

  await panel.getByRole('button', { name: 'Sửa biển số' }).click();
  await page.keyboard.type('99-Z8 999.99');
  await panel.getByLabel('Lý do (ít nhất 3 ký tự)').fill('số 8 rõ ở ảnh sau');
  await page.keyboard.press('Enter');
  await panel.locator('.plate-text', { hasText: '99Z899999' }).waitFor();
  expect(await panel.innerText()).toMatch(/Đã sửa[\s\S]*Máy đọc: 99Z-999\.99[\s\S]*số 8 rõ ở ảnh sau/);
  await page.keyboard.press('Escape');
  await row.getByText('99Z8-•••99').waitFor();

  await page.getByRole('button', { name: 'English' }).click();
  // Whoever types at once must not lose a letter: the field has the focus before the next key can come.
  const focused = await page.getByRole('button', { name: 'Search by plate …' }).evaluate(async (button) => {
    const { document } = globalThis as unknown as { document: { activeElement: { className: string } } };
    (button as unknown as { click(): void }).click();
    await Promise.resolve();
    return document.activeElement.className;
  });
  expect(focused).toBe('plate-input');
  await page.keyboard.type('99z8 999??');
  await page.getByLabel('Why you search (at least 3 characters)').fill('report 12');
  await page.keyboard.press('Enter');
  await page.getByText('1 cases found').waitFor();
  await page.getByText('said by a person').waitFor();
  await page.locator('a.event').last().click();
  await page.getByText('The node was not supplied with a model that reads plates.').waitFor();
  expect(asked.filter((url) => /99z|999/i.test(url.replace(/[0-9a-f]{32,}/g, '')))).toEqual([]);
  expect(complaints).toEqual([]);
});
