import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Event, findSchemaIssues } from '@ngatu/contract';
import { AssetStore, findRepositoryRoot } from '@ngatu/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const execute = promisify(execFile);
const ROOT = findRepositoryRoot();
const SCENE = join(ROOT, 'firmware-config/scenes/hanoi-giangvo-langha.scene.yaml');
const store = new AssetStore();
const video = await store.find('hanoi-giangvo-langha-1615');
const model = await store.find('road-users-nano');

let dir: string;
let clip: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ngatu-replay-'));
  clip = join(dir, 'clip.mp4');
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function replay(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const program = [join(ROOT, 'cli', 'bin', 'ngatu.mjs'), 'replay', ...args];
  try {
    return { code: 0, ...(await execute(process.execPath, program)) };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}

const readLines = async (file: string): Promise<Record<string, unknown>[]> =>
  (await readFile(file, 'utf8'))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

describe.skipIf(video === undefined || model === undefined)('ngatu replay on the first ten seconds', () => {
  beforeAll(async () => {
    const source = video?.path ?? '';
    await execute('ffmpeg', ['-nostdin', '-v', 'error', '-y', '-i', source, '-t', '10', '-c', 'copy', clip]);
    for (const name of ['one', 'two']) {
      const out = join(dir, name);
      const run = await replay(
        '--video',
        clip,
        '--scene',
        SCENE,
        '--out',
        out,
        '--start',
        '2026-01-31T08:00:00Z',
      );
      expect(run).toMatchObject({ code: 0 });
    }
  });

  it('writes the same bytes twice', async () => {
    for (const file of ['events.jsonl', 'tracks.jsonl', 'summary.json']) {
      const [one, two] = await Promise.all(['one', 'two'].map((name) => readFile(join(dir, name, file))));
      expect(one?.length).toBeGreaterThan(100);
      expect(one?.equals(two ?? Buffer.alloc(0))).toBe(true);
    }
  });

  it('writes events as they stand on the wire, with their frame, on the media clock', async () => {
    const events = await readLines(join(dir, 'one', 'events.jsonl'));
    expect(events.map(({ kind }) => kind)).toContain('RED_LIGHT');
    for (const { frameIndex, ...event } of events) {
      expect(findSchemaIssues(Event, event)).toEqual([]);
      expect(event).not.toHaveProperty('detectedAt');
      expect((event['frame'] as { index: number }).index).toBe(frameIndex);
      const { mediaTimeMs } = event['frame'] as { mediaTimeMs: number };
      const sinceStart = Date.parse(String(event['capturedAt'])) - Date.parse('2026-01-31T08:00:00Z');
      expect(Math.abs(sinceStart - mediaTimeMs)).toBeLessThanOrEqual(1);
    }
  });

  it('writes one line of tracks for each analysed frame, in source pixels', async () => {
    const frames = await readLines(join(dir, 'one', 'tracks.jsonl'));
    const summary = JSON.parse(await readFile(join(dir, 'one', 'summary.json'), 'utf8'));
    expect(frames).toHaveLength(summary.framesAnalysed);
    let last = -1;
    for (const { frameIndex, capturedAtMs, tracks } of frames) {
      expect(Number(frameIndex)).toBeGreaterThan(last);
      last = Number(frameIndex);
      expect(Number(capturedAtMs)).toBeGreaterThanOrEqual(Date.parse('2026-01-31T08:00:00Z'));
      for (const { id, label, confidence, box } of tracks as Record<string, unknown>[]) {
        expect(id).toEqual(expect.any(Number));
        expect(label).toEqual(expect.any(String));
        expect(confidence).toEqual(expect.any(Number));
        const [x1 = 0, , x2 = 0, y2 = 0] = box as number[];
        expect(x2).toBeGreaterThan(x1);
        expect(y2).toBeLessThan(480 * 1.5);
      }
    }
  });

  it('draws what it found into a video of as many pictures', async () => {
    const annotated = join(dir, 'annotated.mp4');
    const out = join(dir, 'three');
    expect(
      await replay('--video', clip, '--scene', SCENE, '--out', out, '--annotate', annotated),
    ).toMatchObject({ code: 0 });
    const count = [
      '-v',
      'error',
      '-count_packets',
      '-select_streams',
      'v',
      '-show_entries',
      'stream=nb_read_packets',
    ];
    const probe = async (file: string) =>
      (await execute('ffprobe', [...count, '-of', 'csv=p=0', file])).stdout.trim();
    expect(await probe(annotated)).toBe(await probe(clip));
    // the overlay changes pictures: the annotated one differs from a plain encoding of the source by far
    const psnr = ['-nostdin', '-i', annotated, '-i', clip, '-lavfi', '[0:v][1:v]psnr', '-f', 'null', '-'];
    const { stderr } = await execute('ffmpeg', psnr);
    const average = Number(/average:([\d.]+)/.exec(stderr)?.[1]);
    expect(average).toBeGreaterThan(10);
    expect(average).toBeLessThan(33);
  });
});

describe('ngatu replay', () => {
  it.each([
    [
      'a video that is text',
      'VIDEO_UNREADABLE',
      async () => ['--video', await aFile('text.mp4', 'no video'), '--scene', SCENE],
    ],
    [
      'a video that is not there',
      'FILE_UNREADABLE',
      async () => ['--video', join(dir, 'none.mp4'), '--scene', SCENE],
    ],
    [
      'a scene that is not there',
      'FILE_UNREADABLE',
      async () => ['--video', clip, '--scene', join(dir, 'none.yaml')],
    ],
    [
      'a scene with a rule for no line',
      'SCENE_INVALID',
      async () => ['--video', clip, '--scene', await aFile('bad.scene.yaml', BAD_SCENE)],
    ],
    [
      'a model that is not known',
      'ASSET_UNKNOWN',
      async () => ['--video', clip, '--scene', SCENE, '--model', 'no-such-model'],
    ],
    [
      'a start that is no time',
      'USAGE',
      async () => ['--video', clip, '--scene', SCENE, '--start', 'yesterday'],
    ],
  ])('answers %s with one line and %s', async (_what, code, args) => {
    const out = join(dir, 'refused');
    const run = await replay(...(await args()), '--out', out);
    expect(run.code).not.toBe(0);
    expect(run.stderr.trim().split('\n')).toHaveLength(1);
    expect(run.stderr).toMatch(new RegExp(`^${code}: `));
  });
});

const BAD_SCENE = `schemaVersion: 1
name: bad
picture: { width: 640, height: 480 }
rules:
  - { name: red, kind: RED_LIGHT, stopLine: nowhere, signal: none }
`;

async function aFile(name: string, content: string): Promise<string> {
  const path = join(dir, name);
  await writeFile(path, content);
  return path;
}
