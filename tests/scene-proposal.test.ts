import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { loadScene } from '@ngatu/firmware-config';
import { AssetStore, findRepositoryRoot } from '@ngatu/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const execute = promisify(execFile);
const ROOT = findRepositoryRoot();
const store = new AssetStore();
const video = await store.find('hanoi-giangvo-langha-1615');
const model = await store.find('road-users-nano');

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ngatu-scene-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    const done = await execute(process.execPath, [join(ROOT, 'cli', 'bin', 'ngatu.mjs'), 'scene', ...args]);
    return { code: 0, ...done };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}

describe.skipIf(video === undefined || model === undefined)('ngatu scene init on the Hanoi clip', () => {
  it('proposes the lamp and the stop line where people drew them', async () => {
    const out = join(dir, 'proposed.scene.yaml');
    const done = await run('init', '--video', video?.path ?? '', '--seconds', '40', '--out', out);
    expect(done).toMatchObject({ code: 0 });
    const proposed = (await loadScene(out)).scene;
    const drawn = (await loadScene(join(ROOT, 'firmware-config/scenes/hanoi-giangvo-langha.scene.yaml')))
      .scene;
    const [lamp, truth] = [proposed.signals[0]?.box, drawn.signals[0]?.box];
    expect(lamp?.map((value, index) => Math.abs(value - (truth?.[index] ?? 0)) <= 6)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    const rule = proposed.rules.find(({ kind }) => kind === 'RED_LIGHT');
    const line = proposed.tripwires.find(({ name }) => rule?.kind === 'RED_LIGHT' && rule.stopLine === name);
    const painted = drawn.tripwires[0]?.points ?? [];
    expect(line?.points.length).toBeGreaterThanOrEqual(2);
    for (const point of line?.points ?? []) expect(distanceTo(painted, point)).toBeLessThan(5);
    for (const point of painted) expect(distanceTo(line?.points ?? [], point)).toBeLessThan(5);
    const width = (line?.points.at(-1)?.[0] ?? 0) - (line?.points[0]?.[0] ?? 0);
    expect(Math.abs(width)).toBeGreaterThan(400);
    expect((await stat(join(dir, 'proposed.scene.png'))).size).toBeGreaterThan(10_000);
    expect(await run('init', '--video', video?.path ?? '', '--out', out)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('it is there already'),
    });
  }, 120_000);
});

it('says of a file that is no video what it is', async () => {
  const rubbish = join(dir, 'rubbish.mp4');
  await writeFile(rubbish, 'no video');
  const scene = join(ROOT, 'firmware-config/scenes/vtest.scene.yaml');
  const done = await run('show', '--video', rubbish, '--scene', scene, '--still', join(dir, 'x.png'));
  expect(done.code).toBe(1);
  expect(done.stderr).toContain('VIDEO_UNREADABLE');
});

type Point = readonly [number, number];

/** Distance of a point to the straight continuation of the nearest part of a line, px. */
function distanceTo(line: readonly Point[], [x, y]: Point): number {
  const distances = line.slice(1).map((b, index) => {
    const a = line[index] as Point;
    const isLast = index === line.length - 2;
    const length = Math.hypot(b[0] - a[0], b[1] - a[1]);
    const along = ((x - a[0]) * (b[0] - a[0]) + (y - a[1]) * (b[1] - a[1])) / length ** 2;
    const t = Math.min(isLast ? along : 1, Math.max(index === 0 ? along : 0, along));
    return Math.hypot(x - a[0] - t * (b[0] - a[0]), y - a[1] - t * (b[1] - a[1]));
  });
  return Math.min(...distances);
}
