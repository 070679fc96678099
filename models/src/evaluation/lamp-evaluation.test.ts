import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LampNet } from '@ngatu/edge';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AssetStore } from '../asset-store.ts';
import { evaluateLamps, formatLampTable } from './lamp-evaluation.ts';

const LENSES = ['red', 'amber', 'green'] as const;
const LIT = { red: '#f03028', amber: '#ffb428', green: '#28e196' } as const;
const STOP = new AbortController().signal;

let folder: string;
let net: LampNet;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ngatu-lamps-'));
  const { manifest, path, sha256 } = await new AssetStore().resolveModel('lamp-state');
  net = await LampNet.open({ manifest, file: { path, sha256 } });
});

afterAll(async () => {
  await net.close();
  await rm(folder, { recursive: true, force: true });
});

/** A head of three lenses, upright or lying, as a camera shows it: a dark housing before a bright sky. */
async function drawHead(file: string, lit: (typeof LENSES)[number] | 'off', isLying = false): Promise<void> {
  const lenses = LENSES.map((lens, index) => {
    const colour = lens === lit ? LIT[lens] : '#2c2e30';
    const glow =
      lens === lit ? `<circle cx="30" cy="${32 + 56 * index}" r="27" fill="${colour}" opacity="0.25"/>` : '';
    return `${glow}<circle cx="30" cy="${32 + 56 * index}" r="21" fill="${colour}"/>`;
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="60" height="176"><rect width="60" height="176" fill="#9aa4ad"/><rect x="3" y="3" width="54" height="170" rx="6" fill="#1b1d1f"/>${lenses.join('')}</svg>`;
  await mkdir(join(file, '..'), { recursive: true });
  const upright = await sharp(Buffer.from(svg)).blur(2).resize(24, 70).png().toBuffer();
  // turned against the clock, the upper lens comes to lie on the left
  await sharp(upright)
    .rotate(isLying ? 270 : 0)
    .toFile(file);
}

describe('eval lamps', () => {
  it('reads heads that stand and heads that lie, and counts what the colours, the network and both say', async () => {
    const dir = join(folder, 'heads');
    for (const state of LENSES) {
      const name = state === 'amber' ? 'yellow' : state;
      await drawHead(join(dir, 'test', name, 'a.png'), state);
      await drawHead(join(dir, 'training', name, 'b.png'), state, true);
    }
    const { metrics, predictions } = await evaluateLamps({ dataDir: dir, net, lenses: LENSES }, STOP);
    expect(metrics.lamps).toBe(6);
    expect(metrics.scores.map(({ reader }) => reader)).toEqual(['colour', 'network', 'product']);
    expect(predictions.filter(({ truth, product }) => truth !== product)).toEqual([]);
    for (const state of LENSES) expect(metrics.scores[2]?.recall[state]).toMatchObject({ hits: 2, total: 2 });
    expect(formatLampTable(metrics)).toContain('lamp-state@');
  });

  it('knows a head by the order of its lenses', async () => {
    const dir = join(folder, 'over');
    await drawHead(join(dir, 'red', 'a.png'), 'red');
    const { predictions } = await evaluateLamps(
      { dataDir: dir, net, lenses: ['green', 'amber', 'red'] },
      STOP,
    );
    // red light where this head has its green lens: nobody believes anything
    expect(predictions[0]?.product).not.toBe('green');
  });

  it('reads rubbish without a lit lens that nobody sees', async () => {
    const dir = join(folder, 'rubbish');
    await mkdir(join(dir, 'off'), { recursive: true });
    const flat = (background: string, width: number, height: number) =>
      sharp({ create: { width, height, channels: 3, background } }).png();
    await flat('#000000', 20, 60).toFile(join(dir, 'off', 'black.png'));
    await flat('#8a8a8a', 20, 60).toFile(join(dir, 'off', 'grey.png'));
    await flat('#ff0000', 1, 1).toFile(join(dir, 'off', 'speck.png'));
    const { predictions } = await evaluateLamps({ dataDir: dir, net, lenses: LENSES }, STOP);
    for (const { product, name } of predictions) expect(['off', 'unknown'], name).toContain(product);
  });

  it('measures the colours alone where there is no network, and says so', async () => {
    const dir = join(folder, 'heads');
    const { metrics } = await evaluateLamps({ dataDir: dir, lenses: LENSES }, STOP);
    expect(metrics.scores.map(({ reader }) => reader)).toEqual(['colour']);
    expect(formatLampTable(metrics)).toContain('no network: colours alone');
  });

  it('refuses folders that say no state, hold nothing, or hold what is no picture', async () => {
    const evaluate = (dataDir: string) => evaluateLamps({ dataDir, lenses: LENSES }, STOP);
    await expect(evaluate(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    const empty = join(folder, 'empty');
    await mkdir(join(empty, 'red'), { recursive: true });
    await expect(evaluate(empty)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    const blue = join(folder, 'blue');
    await drawHead(join(blue, 'blue', 'a.png'), 'red');
    await expect(evaluate(blue)).rejects.toMatchObject({ code: 'TRUTH_INVALID' });
    const broken = join(folder, 'broken');
    await mkdir(join(broken, 'red'), { recursive: true });
    await writeFile(join(broken, 'red', 'a.jpg'), 'no picture');
    await expect(evaluate(broken)).rejects.toMatchObject({ code: 'PICTURE_UNREADABLE' });
  });
});
