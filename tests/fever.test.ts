import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeThermalFrame, readThermalFile } from '@ngatu/edge';
import { AssetStore, evaluateFever, type FeverMetrics } from '@ngatu/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const store = new AssetStore();
const never = new AbortController().signal;
const table = await store.find('fever-irt-flir-groups1and2');
const jpeg = await store.find('thermal-flir-jpeg');
const csq = await store.find('thermal-flir-csq');
const seq = await store.find('thermal-flir-seq');

describe.skipIf(table === undefined)('the decision on 1,020 subjects with oral truth', () => {
  let folder: string;
  let metrics: FeverMetrics | undefined;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ngatu-fever-'));
    if (table === undefined) throw new Error('the table went away');
    await copyFile(table.path, join(folder, 'FLIR_groups1and2.csv'));
    [metrics] = (await evaluateFever(folder)).metrics;
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const auc = (region: string) => metrics?.regions.find((entry) => entry.region === region)?.auc?.value;

  it('finds the published order of the regions', () => {
    expect(metrics).toMatchObject({ subjects: 1_020, febrile: 111 });
    expect(auc('canthi4Max')).toBeGreaterThan(0.96);
    expect(auc('T_Max')).toBeGreaterThan(0.97);
    expect(auc('T_FH_Max')).toBeLessThan(0.9);
  });

  it('does not lose what the columns hold, on either half', () => {
    for (const decision of metrics?.decisions ?? []) {
      expect(decision.auc?.value).toBeGreaterThanOrEqual(0.96);
      expect(decision.sensitivity.value).toBeGreaterThanOrEqual(0.85);
      expect(decision.specificity.value).toBeGreaterThanOrEqual(0.9);
      expect(decision.meanAbsoluteError?.value).toBeLessThanOrEqual(0.25);
      expect(decision.covered.value).toBeGreaterThanOrEqual(0.92);
    }
  });
});

describe.skipIf(jpeg === undefined || csq === undefined || seq === undefined)('real FLIR files', () => {
  it('give the published first pixels of the JPEG, and the range of its scene', async () => {
    const { frames } = await readThermalFile(jpeg?.path ?? '', { maxFrames: 4 }, never);
    const [frame] = frames;
    expect([frame?.width, frame?.height]).toEqual([640, 480]);
    expect([...(frame?.celsius.subarray(0, 4) ?? [])].map((celsius) => celsius.toFixed(2))).toEqual([
      '23.73',
      '23.72',
      '23.63',
      '23.59',
    ]);
    expect(frame === undefined ? '' : describeThermalFrame(frame, 60)).toContain('22.74 … 29.01 … 35.25');
  });

  it('give every whole frame of a SEQ and of a CSQ that is cut', async () => {
    const recording = await readThermalFile(seq?.path ?? '', { maxFrames: 9 }, never);
    expect(recording.frames.map(({ celsius }) => celsius[0]?.toFixed(2))).toEqual(['22.46', '22.16']);
    const packed = await readThermalFile(csq?.path ?? '', { maxFrames: 9 }, never);
    expect(packed.frames).toHaveLength(7);
    expect(packed.notes.join()).toContain('128016 bytes belong to no whole frame');
    for (const { celsius } of packed.frames) expect(Math.abs((celsius[0] ?? 0) - 21)).toBeLessThan(0.3);
  });
});

/** What one sees in the pictures, and what the gate is to make of them. */
const FACES = {
  '00065': /eyes-covered/,
  '00135': /several-people/,
  '00191': /inner canthi 33\.7\d °C at 158,86 and 169,87/,
  '00194': /several-people/,
  '00197': /several-people/,
  '00268': /several-people/,
  '00274': /several-people/,
  '00288': /inner canthi 34\.70 °C at 146,95 and 168,92/,
};
const faces = await Promise.all(
  Object.entries(FACES).map(async ([name, seen]) => ({
    name,
    seen,
    asset: await store.find(`thermal-face-${name}`),
  })),
);

describe.skipIf(faces.some(({ asset }) => asset === undefined))('real pictures of faces', () => {
  for (const { name, seen, asset } of faces) {
    it(`are read or refused as one sees them: ${name}`, async () => {
      const { frames, notes } = await readThermalFile(asset?.path ?? '', { maxFrames: 1 }, never);
      expect(notes).toEqual(['unit [degF], stated']);
      const [frame] = frames;
      if (frame === undefined) throw new Error('no frame');
      expect(describeThermalFrame(frame, 50)).toMatch(seen);
    });
  }
});
