import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadClip } from './clip.ts';
import { decodePictures, makeTestVideo } from './test-video.ts';

const run = promisify(execFile);
const signal = AbortSignal.timeout(120_000);

/** Presentation times (s) and keyframe flags of a file's packets, as ffprobe tells them. */
async function probePackets(path: string) {
  const args = [
    '-v',
    'error',
    '-select_streams',
    'v:0',
    '-show_entries',
    'packet=pts_time,dts_time,flags',
    '-of',
    'csv=p=0',
  ];
  const { stdout } = await run('ffprobe', [...args, path]);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(','))
    .map(([pts, dts, flags]) => ({
      pts: Number(pts),
      dts: Number(dts),
      isKeyframe: flags?.startsWith('K') === true,
    }));
}

describe('loadClip', () => {
  let folder: string;
  let cacheDir: string;
  const inFolder = (name: string) => join(folder, name);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clip-'));
    cacheDir = inFolder('cache');
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each(['h264', 'hevc'] as const)('takes %s as it is: every time, flag and byte', async (codec) => {
    const path = await makeTestVideo(inFolder(`${codec}.mp4`), { codec, hasVariableRate: true });
    const clip = await loadClip(path, { signal });
    const packets = await probePackets(path);
    expect(clip).toMatchObject({
      codec,
      width: 320,
      height: 240,
      originMs: 0,
      durationTicks: (47 * 40 + 40) * 90,
    });
    expect(clip.accessUnits.map((unit) => [unit.ptsTicks, unit.dtsTicks, unit.isKeyframe])).toEqual(
      packets.map((packet) => [
        Math.round(packet.pts * 90_000),
        Math.round(packet.dts * 90_000),
        packet.isKeyframe,
      ]),
    );
    expect(clip.accessUnits.some((unit) => unit.ptsTicks > unit.dtsTicks + 3_600)).toBe(true);
    const elementary = inFolder(`copy.${codec}`);
    const startCode = Buffer.from([0, 0, 0, 1]);
    const nalUnits = clip.accessUnits.flatMap((unit) => unit.nalUnits);
    await writeFile(elementary, Buffer.concat(nalUnits.flatMap((nalUnit) => [startCode, nalUnit])));
    const hashes = async (source: string) => (await decodePictures(source)).map((picture) => picture.md5);
    expect(await hashes(elementary)).toEqual(await hashes(path));
  });

  it('says where the first keyframe lies when the file begins without one', async () => {
    const whole = await makeTestVideo(inFolder('whole.mp4'), { codec: 'h264', keyframeInterval: 15 });
    const cut = inFolder('cut.ts');
    const dropKey = ['-bsf:v', "noise=drop='not(n)'"];
    await run('ffmpeg', ['-nostdin', '-v', 'error', '-i', whole, '-c', 'copy', ...dropKey, '-copyinkf', cut]);
    const clip = await loadClip(cut, { signal });
    const packets = await probePackets(cut);
    const first = packets.find((packet) => packet.isKeyframe)?.pts ?? Number.NaN;
    const start = Math.min(...packets.map((packet) => packet.pts));
    expect(clip.originMs).toBeGreaterThan(400);
    expect(clip.originMs).toBeCloseTo((first - start) * 1_000, 0);
    expect(clip.accessUnits[0]?.isKeyframe).toBe(true);
  });

  it('leaves out what an edit list hides at the end', async () => {
    const whole = await makeTestVideo(inFolder('edit.mp4'), { codec: 'h264', pictures: 30 });
    const cut = inFolder('edited.mp4');
    // ISO 14496-12 8.6.6: `elst`, version and flags, entry count, then the length of the first entry, here in ms
    const bytes = await readFile(whole);
    const lengthAt = bytes.indexOf('elst') + 12;
    expect(bytes.readUInt32BE(lengthAt)).toBe(1_200);
    bytes.writeUInt32BE(1_120, lengthAt);
    await writeFile(cut, bytes);
    const [clip, shown] = [await loadClip(cut, { signal }), await decodePictures(cut)];
    expect(shown).toHaveLength(28);
    expect(clip.accessUnits).toHaveLength(28);
    expect(clip.durationTicks).toBe(28 * 3_600);
  });

  it('transcodes what no camera sends, once, with a keyframe every two seconds', async () => {
    const path = await makeTestVideo(inFolder('old.avi'), { codec: 'mpeg4', pictures: 125 });
    const clip = await loadClip(path, { signal, cacheDir });
    expect(clip.codec).toBe('h264');
    expect(clip.accessUnits.map((unit) => unit.ptsTicks)).toEqual(
      Array.from({ length: 125 }, (_, index) => index * 3_600),
    );
    const keyframes = clip.accessUnits.flatMap((unit) => (unit.isKeyframe ? [unit.ptsTicks / 90_000] : []));
    expect(keyframes).toEqual([0, 2, 4]);
    const [copy] = await readdir(cacheDir);
    const before = await stat(join(cacheDir, copy ?? ''));
    await loadClip(path, { signal, cacheDir });
    expect(await readdir(cacheDir)).toEqual([copy]);
    expect((await stat(join(cacheDir, copy ?? ''))).mtimeMs).toBe(before.mtimeMs);
  });

  it('transcodes to H.265 where that is asked for', async () => {
    const path = await makeTestVideo(inFolder('wanted.mp4'), { codec: 'h264' });
    const clip = await loadClip(path, { signal, cacheDir, codec: 'hevc' });
    expect(clip.codec).toBe('hevc');
    expect(clip.parameterSets.vps).toBeDefined();
    expect(clip.accessUnits).toHaveLength(50);
  });

  it('says what is wrong with what it cannot stream', async () => {
    const junk = inFolder('junk.mp4');
    await writeFile(junk, 'this is no video');
    const sound = inFolder('sound.wav');
    await run('ffmpeg', ['-nostdin', '-v', 'error', '-f', 'lavfi', '-i', 'sine=duration=0.1', sound]);
    const old = await makeTestVideo(inFolder('old-too.avi'), { codec: 'mpeg4', pictures: 5 });
    await expect(loadClip(inFolder('none.mp4'), { signal })).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
    });
    await expect(loadClip(folder, { signal })).rejects.toMatchObject({ code: 'VIDEO_UNREADABLE' });
    for (const path of [junk, sound, old]) {
      await expect(loadClip(path, { signal }), path).rejects.toMatchObject({ code: 'VIDEO_UNREADABLE' });
    }
    await expect(loadClip(old, { signal, cacheDir: junk })).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
    });
    await expect(loadClip(old, { signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop');
  });
});
