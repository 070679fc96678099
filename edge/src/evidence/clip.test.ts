import { createHash } from 'node:crypto';
import { mkdtemp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cutClip, selectClip } from './clip.ts';
import { indexRecording, type RingSegment } from './recording.ts';
import { makeSourceVideo, makeTestFolder, recordSegments, runTool, TEST_CODECS } from './test-recording.ts';

let folder: Awaited<ReturnType<typeof makeTestFolder>>;
const { signal } = new AbortController();

beforeAll(async () => {
  folder = await makeTestFolder();
});
afterAll(() => folder.remove());

const key = (mediaTimeMs: number) => ({ mediaTimeMs, isKeyframe: true });
const other = (mediaTimeMs: number) => ({ mediaTimeMs, isKeyframe: false });

describe('selectClip', () => {
  const pictures = [
    key(0),
    other(120),
    other(40),
    other(80),
    key(200),
    other(160),
    other(320),
    other(240),
    other(280),
  ];

  it('begins with the last keyframe at or before the wanted time', () => {
    expect(selectClip(pictures, { fromMs: 199, toMs: 200 })).toMatchObject({ first: 0, startMs: 0 });
    expect(selectClip(pictures, { fromMs: 200, toMs: 400 })).toEqual({
      first: 4,
      last: 8,
      dropped: [5],
      startMs: 200,
      endMs: 320,
    });
  });

  it('keeps what later pictures in decode order need', () => {
    expect(selectClip(pictures, { fromMs: 200, toMs: 250 })).toEqual({
      first: 4,
      last: 7,
      dropped: [5],
      startMs: 200,
      endMs: 320,
    });
  });

  it('selects nothing where nothing is', () => {
    expect(selectClip([key(500), other(540)], { fromMs: 0, toMs: 400 })).toBeUndefined();
    expect(selectClip([], { fromMs: 0, toMs: 400 })).toBeUndefined();
  });
});

/** SHA-256 of each picture's coded bytes without framing and parameter sets, by presentation time in ms. */
async function hashPackets(path: string): Promise<Map<number, string>> {
  const json: unknown = JSON.parse(
    String(
      await runTool(
        'ffprobe',
        '-select_streams',
        'v:0',
        '-show_packets',
        '-show_data_hash',
        'sha256',
        '-of',
        'json',
        path,
      ),
    ),
  );
  const packets = typeof json === 'object' && json !== null && 'packets' in json ? json.packets : undefined;
  const hashes = new Map<number, string>();
  for (const { pts_time, data_hash } of packets as { pts_time: string; data_hash: string }[]) {
    hashes.set(Math.round(Number(pts_time) * 1000), data_hash);
  }
  return hashes;
}

describe.each(Object.keys(TEST_CODECS) as (keyof typeof TEST_CODECS)[])('a clip of %s', (codec) => {
  it('holds the original packets at their own times, and every picture decodes to the same pixels', async () => {
    const name = codec.replaceAll(' ', '-');
    const source = join(folder.dir, `${name}.mp4`);
    await makeSourceVideo(source, codec);
    const dir = await mkdtemp(join(folder.dir, 'ring-'));
    const closed = await recordSegments(source, dir);
    const segments: RingSegment[] = closed.map((segment) => ({ ...segment, path: join(dir, segment.name) }));
    const recording = await indexRecording(segments.slice(1), join(dir, 'index.ffconcat'), signal);
    const outFile = join(dir, 'clip.mp4');
    const range = { fromMs: 2_600, toMs: 4_500 };
    const clip = await cutClip(
      recording,
      { ...range, outFile, listFile: join(dir, 'clip.ffconcat') },
      signal,
    );

    expect(clip).toMatchObject({ codec: codec === 'hevc' ? 'hevc' : 'h264', width: 320, height: 180 });
    expect(clip.startMs).toBeLessThanOrEqual(range.fromMs);
    expect(clip.startMs).toBeGreaterThan(range.fromMs - 1_100);
    const [originals, copies] = await Promise.all([hashPackets(source), hashPackets(outFile)]);
    const wanted = [...originals.keys()].filter((time) => time >= clip.startMs && time <= range.toMs);
    expect(wanted.length).toBeGreaterThan(30);
    for (const time of wanted) {
      const copy = copies.get(time - clip.startMs);
      expect(copy, `picture at ${time} ms`).toBe(originals.get(time));
    }
    for (const hash of copies.values()) expect([...originals.values()]).toContain(hash);

    const [pixels, expected] = await Promise.all([decode(outFile, 0), decode(source, clip.startMs)]);
    expect(pixels.length).toBe(copies.size);
    for (const [time, md5] of pixels) expect(expected).toContainEqual([time, md5]);
  });
});

/** Time after `originMs` in ms and MD5 of every decoded picture. */
async function decode(path: string, originMs: number): Promise<[number, string][]> {
  const args = [
    '-i',
    path,
    '-fps_mode',
    'passthrough',
    '-enc_time_base',
    '1:1000',
    '-f',
    'framemd5',
    'pipe:1',
  ];
  const lines = String(await runTool('ffmpeg', ...args)).split('\n');
  return lines
    .filter((line) => /^\d/.test(line))
    .map((line) => line.split(',').map((field) => field.trim()))
    .map((fields) => [Number(fields[2]) - originMs, fields[5] ?? '']);
}

it('puts the index in front, tags H.265 for browsers and is the same every time', async () => {
  const source = join(folder.dir, 'tag.mp4');
  await makeSourceVideo(source, 'hevc');
  const dir = await mkdtemp(join(folder.dir, 'ring-'));
  const closed = await recordSegments(source, dir);
  const segments = closed.map((segment) => ({ ...segment, path: join(dir, segment.name) }));
  const digests: string[] = [];
  for (const name of ['one.mp4', 'two.mp4']) {
    const recording = await indexRecording(segments, join(dir, 'index.ffconcat'), signal);
    const outFile = join(dir, name);
    await cutClip(
      recording,
      { fromMs: 1_000, toMs: 3_000, outFile, listFile: join(dir, 'clip.ffconcat') },
      signal,
    );
    const bytes = await readFile(outFile);
    expect(bytes.indexOf('moov')).toBeLessThan(bytes.indexOf('mdat'));
    expect(bytes.includes('hvc1')).toBe(true);
    digests.push(createHash('sha256').update(bytes).digest('hex'));
  }
  expect(digests[0]).toBe(digests[1]);
});
