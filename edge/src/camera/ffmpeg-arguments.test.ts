import { describe, expect, it } from 'vitest';
import { buildFfmpegArguments, buildFilterGraph, findSizeMismatch } from './ffmpeg-arguments.ts';
import { computePictureLayout } from './picture-layout.ts';

const picture = { width: 1920, height: 1080 };
const small = computePictureLayout({ picture, maxWidth: 640, lamps: [] });

describe('buildFfmpegArguments', () => {
  it('opens a camera over TCP with its limits in microseconds and its credentials encoded', () => {
    const args = buildFfmpegArguments({
      input: {
        kind: 'rtsp',
        url: 'rtsp://10.0.0.9:554/1',
        username: 'ad min',
        password: 'a@b/c',
        stallTimeoutMs: 3_000,
      },
      layout: small,
      maxFps: 5,
    });
    const input = args.indexOf('-i');
    expect(args[input + 1]).toBe('rtsp://ad%20min:a%40b%2Fc@10.0.0.9:554/1');
    expect(args.slice(0, input).join(' ')).toContain(
      '-rtsp_transport tcp -allowed_media_types video -timeout 3000000',
    );
    expect(args).not.toContain('segment');
  });

  it('takes a path for a path, whatever it looks like', () => {
    const input = { kind: 'file', path: 'http://x/-i.mp4', startMs: 0 } as const;
    const args = buildFfmpegArguments({ input, layout: small, maxFps: 5 });
    expect(args[args.indexOf('-i') + 1]).toBe('file:http://x/-i.mp4');
  });

  it('copies into segments on the same clock, in a folder of any name', () => {
    const input = { kind: 'file', path: 'a.mp4', startMs: 0 } as const;
    const ring = { dir: '/ring/100%d', segmentMs: 2_500 };
    const args = buildFfmpegArguments({ input, layout: small, maxFps: 5, ring });
    expect(args.at(-1)).toBe('/ring/100%%d/%06d.mkv');
    expect(args[args.indexOf('-segment_time') + 1]).toBe('2.5');
    expect(args[args.indexOf('-avoid_negative_ts') + 1]).toBe('disabled');
  });
});

describe('buildFilterGraph', () => {
  it('scales only what is larger, and adds no strip without lamps', () => {
    expect(buildFilterGraph(small, 5)).toContain('scale=640:360');
    const full = computePictureLayout({
      picture,
      maxWidth: 1920,
      lamps: [{ signal: 'a', box: [0, 0, 10, 20] }],
    });
    expect(buildFilterGraph(full, 5)).not.toMatch(/scale|vstack|split/);
  });

  it('lays two lamps side by side below the picture', () => {
    const lamps = ['a', 'b'].map((signal) => ({ signal, box: [100, 50, 140, 150] as const }));
    const graph = buildFilterGraph(computePictureLayout({ picture, maxWidth: 640, lamps }), 5);
    expect(graph).toContain('split=3[p][l0][l1]');
    expect(graph).toContain('[c0][c1]hstack=inputs=2,pad=640:100:0:0[r0]');
    expect(graph).toContain('[picture][r0]vstack=inputs=2');
  });
});

it('reads the real size out of what the size guard makes ffmpeg say', () => {
  const said = "[Parsed_crop_0] Invalid too big or non positive size for width '-320' or height '-240'";
  expect(findSizeMismatch(said)).toEqual({ width: 320, height: 240 });
  expect(findSizeMismatch('Connection refused')).toBeUndefined();
});
