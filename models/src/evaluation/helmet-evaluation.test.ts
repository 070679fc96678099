import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HelmetNet } from '@ngatu/edge';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AssetStore } from '../asset-store.ts';
import { evaluateHelmets, formatHelmetTable } from './helmet-evaluation.ts';

const STOP = new AbortController().signal;

let net: HelmetNet;
let folder: string;

beforeAll(async () => {
  const { manifest, path, sha256 } = await new AssetStore().resolveModel('helmet-head');
  net = await HelmetNet.open({ manifest, file: { path, sha256 } });
});
afterAll(() => net.close());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ngatu-helmets-'));
  for (const part of ['images', 'labels']) await mkdir(join(folder, part));
  const grey = { create: { width: 320, height: 240, channels: 3, background: '#808890' } } as const;
  await sharp(grey)
    .jpeg()
    .toFile(join(folder, 'images', 'a.jpg'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function evaluate(labels: string, parts: Readonly<Record<string, string>> = {}) {
  await writeFile(join(folder, 'labels', 'a.txt'), labels);
  for (const [name, text] of Object.entries(parts)) await writeFile(join(folder, name), text);
  return evaluateHelmets({ dataDir: folder, net, productConfidence: 0.8 }, STOP);
}

describe('eval helmets', () => {
  it('judges every labelled head once, by size, and one at the edge of the picture too', async () => {
    const heads = '0 0.5 0.5 0.1 0.1\n1 0.02 0.02 0.1 0.12\n1 0.7 0.5 0.03 0.04\n';
    const { metrics, predictions } = await evaluate(heads);
    expect(predictions.map(({ truth }) => truth)).toEqual(['helmet', 'bare', 'bare']);
    for (const { confidence } of predictions) expect(confidence).toBeGreaterThanOrEqual(0.5);
    expect(metrics.heads).toEqual({ bare: 2, helmet: 1 });
    const all = metrics.scores.find(({ size, confidence }) => size === 'all' && confidence === 0.5);
    const right = predictions.filter(({ truth, read }) => truth === 'bare' && read === 'bare').length;
    expect(all?.bare.recall).toMatchObject({ hits: right, total: 2 });
    expect(metrics.scores.filter(({ size }) => size === '< 16 px')).not.toEqual([]);
    expect(formatHelmetTable(metrics)).toContain('experimental');
  });

  it('follows the names of the classes where the folder tells them', async () => {
    const names = { 'data.yaml': "names: ['without helmet', 'with helmet']\n" };
    const { predictions } = await evaluate('0 0.5 0.5 0.1 0.1\n1 0.2 0.5 0.1 0.1\n', names);
    expect(predictions.map(({ truth }) => truth)).toEqual(['bare', 'helmet']);
  });

  it('refuses a class that is neither, and a folder without a labelled head', async () => {
    await expect(evaluate('2 0.5 0.5 0.1 0.1\n')).rejects.toMatchObject({ code: 'TRUTH_INVALID' });
    await expect(evaluate('')).rejects.toMatchObject({ code: 'TRUTH_INVALID' });
    await expect(evaluate('1 0.5 0.5 0.1 0.1\n', { 'classes.txt': 'car\nbus\n' })).rejects.toMatchObject({
      code: 'TRUTH_INVALID',
    });
  });
});
