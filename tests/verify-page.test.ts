import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { exportCases, openProvince, sealChain } from '../trust/src/testing/sealed-case.ts';
import { ROOT } from './source/source-tree.ts';

const CHROMIUM_FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

let folder: string;
let browser: Browser;
let page: Page;
const complaints: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ngatu-page-'));
  const { ensureBuild } = (await import('../scripts/build.mjs' as string)) as {
    ensureBuild: (options: { parts: string[] }) => Promise<void>;
  };
  await ensureBuild({ parts: ['page'] });
  await using province = await openProvince();
  const bytes = await exportCases(province, sealChain(province, 1));
  const changed = bytes.slice();
  changed[40] = (changed[40] ?? 0) ^ 1;
  await writeFile(join(folder, 'good.zip'), bytes);
  await writeFile(join(folder, 'changed.zip'), changed);
  await writeFile(join(folder, 'ca.crt'), province.caPem);
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: CHROMIUM_FLAGS });
  const context = await browser.newContext({ locale: 'vi-VN', offline: true });
  page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on('pageerror', (error) => complaints.push(`thrown: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    if (!request.url().startsWith('file:')) complaints.push(`asked for ${request.url()}`);
  });
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

it('verifies in a browser, opened from a file, without network', async () => {
  await page.goto(pathToFileURL(join(ROOT, 'dist', 'verify.html')).href);
  await page.getByRole('heading', { name: 'Kiểm tra hồ sơ vụ việc' }).waitFor();
  await page.getByLabel('Tệp hồ sơ (.zip)').setInputFiles(join(folder, 'good.zip'));
  await page.getByText('TOÀN VẸN, CHƯA ĐỐI CHIẾU CƠ QUAN CHỨNG THỰC').waitFor();
  await page.getByLabel('Chứng thư của cơ quan chứng thực (ca.crt)').setInputFiles(join(folder, 'ca.crt'));
  await page.locator('[data-verdict="verified"]').waitFor();
  expect(await page.locator('.sign-failed').count()).toBe(0);
  await page.getByRole('button', { name: 'English' }).click();
  await page.getByText('VERIFIED – nothing was changed').waitFor();

  await page.getByLabel('Export (.zip)').setInputFiles(join(folder, 'changed.zip'));
  await page.locator('[data-verdict="failed"]').waitFor();
  await page.getByText('at least one byte is not as it was signed').waitFor();
  expect(complaints).toEqual([]);
});
