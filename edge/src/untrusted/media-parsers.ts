import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { UntrustedParser } from '@ngatu/contract';
import { readPictureSize } from '../camera/picture-size.ts';
import { openVideoSession } from '../camera/video-session.ts';
import { cutClip } from '../evidence/clip.ts';
import { indexRecording } from '../evidence/recording.ts';
import { probeSegment } from '../evidence/session-folder.ts';
import { extractStills } from '../evidence/still.ts';
import { decodeJpegLs } from '../thermal/jpeg-ls.ts';
import { readThermalVideo } from '../thermal/thermal-video.ts';
import { openHostileCamera, recordCameraInput } from './hostile-camera.ts';

const SIZE = { width: 64, height: 48 } as const;
const SOURCE = ['-f', 'lavfi', '-i', `testsrc2=s=${SIZE.width}x${SIZE.height}:r=10:d=1`] as const;
/** Frames that are taken of a damaged file: enough to have read all of it. */
const MAX_FRAMES = 30;

/** A video that ffmpeg makes, as its bytes. */
async function makeVideo(folder: string, name: string, ...args: readonly string[]): Promise<Buffer> {
  const file = join(folder, name);
  await promisify(execFile)('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...SOURCE, ...args, file]);
  return readFileSync(file);
}

const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '5', '-pix_fmt', 'yuv420p'] as const;
const HEVC = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=error:keyint=5'] as const;

const sessionParser: UntrustedParser = {
  name: 'video-file',
  covers: ['edge/src/camera/picture-size.ts#readPictureSize'],
  source: 'who hands over a video; a camera, whose stream ffmpeg reads by the same code',
  form: 'binary',
  pace: 'media',
  open: async (folder) => {
    const file = join(folder, 'video');
    const ring = join(folder, 'ring');
    return {
      samples: [
        await makeVideo(folder, 'a.mp4', ...H264),
        await makeVideo(folder, 'a.mkv', ...HEVC),
        await makeVideo(folder, 'a.ts', ...H264),
      ],
      parse: async (input, signal) => {
        writeFileSync(file, input);
        rmSync(ring, { recursive: true, force: true });
        mkdirSync(ring);
        await readPictureSize(file, signal);
        const session = openVideoSession(
          {
            ...{ session: 'fuzz', input: { kind: 'file', path: file, startMs: 0 }, picture: SIZE, lamps: [] },
            analysis: { maxWidth: 32, maxFps: 25 },
            ring: { dir: ring, segmentMs: 500, onSegment: () => undefined },
            clock: () => 0,
          },
          signal,
        );
        let frames = 0;
        try {
          for await (const _ of session.frames) if (++frames >= MAX_FRAMES) break;
        } finally {
          await session.stop();
        }
        const end = await session.ended;
        return end.reason === 'failed' ? end.error.code : undefined;
      },
    };
  },
};

const cameraParser: UntrustedParser = {
  name: 'camera-stream',
  covers: [],
  source: 'a camera, or who stands between it and the node: SDP, RTP and what is in it',
  form: 'binary',
  pace: 'media',
  open: async (folder) => {
    const camera = await openHostileCamera();
    return {
      samples: [],
      variations: [await recordCameraInput(folder)],
      parse: async (input, signal) => {
        camera.show(input);
        const options = {
          ...{ session: 'fuzz', picture: SIZE, lamps: [], clock: () => Date.now() },
          input: { kind: 'rtsp', url: camera.url, stallTimeoutMs: 2_000 },
          analysis: { maxWidth: 32, maxFps: 25 },
        } as const;
        const session = openVideoSession(options, signal);
        let frames = 0;
        try {
          for await (const _ of session.frames) frames++;
        } finally {
          await session.stop();
        }
        // a camera never ends by itself: its end is a failure, and what came before it counts
        const end = await session.ended;
        return end.reason === 'failed' && frames === 0 ? end.error.code : undefined;
      },
      close: () => camera.close(),
    };
  },
};

const segmentParser: UntrustedParser = {
  name: 'ring-segment',
  covers: [],
  source: 'a camera, whose packets lie in the ring; the node’s own disk, torn or changed',
  form: 'binary',
  pace: 'media',
  open: async (folder) => {
    const path = join(folder, '000000.mkv');
    return {
      samples: [await makeVideo(folder, 'a.mkv', ...H264), await makeVideo(folder, 'b.mkv', ...HEVC)],
      parse: async (input, signal) => {
        writeFileSync(path, input);
        const times = await probeSegment(path, signal);
        if (times === undefined) return 'NO_VIDEO';
        const recording = await indexRecording([{ path, ...times }], join(folder, 'list'), signal);
        const [first] = recording.pictures;
        if (first === undefined) return 'NO_PICTURE';
        const range = { fromMs: times.startMs, toMs: times.endMs };
        const clip = { ...range, outFile: join(folder, 'clip.mp4'), listFile: join(folder, 'clip.list') };
        await cutClip(recording, clip, signal);
        const request = { mediaTimeMs: first.mediaTimeMs, outFile: join(folder, 'still.jpg') };
        const [isMade] = await extractStills(recording, [request], folder, signal);
        return isMade ? undefined : 'NO_STILL';
      },
    };
  },
};

const thermalParser: UntrustedParser = {
  name: 'thermal-video',
  covers: ['edge/src/thermal/thermal-video.ts#readThermalVideo'],
  source: 'who hands over a thermal recording',
  form: 'binary',
  pace: 'media',
  open: async (folder) => {
    const path = join(folder, 'thermal');
    const mapping = { kind: 'linear', gain: 0.01, offsetC: -273.15 } as const;
    return {
      samples: [await makeVideo(folder, 'a.mkv', '-c:v', 'ffv1', '-pix_fmt', 'gray16le')],
      parse: async (input, signal) => {
        writeFileSync(path, input);
        const options = { input: { kind: 'file', path }, mapping, stallTimeoutMs: 5_000 } as const;
        let frames = 0;
        for await (const _ of readThermalVideo(options, signal)) if (++frames >= MAX_FRAMES) break;
        return undefined;
      },
    };
  },
};

const jpegLsParser: UntrustedParser = {
  name: 'jpeg-ls',
  covers: ['edge/src/thermal/jpeg-ls.ts#decodeJpegLs'],
  source: 'a thermal camera, or who hands over its file',
  form: 'binary',
  pace: 'media',
  open: async (folder) => ({
    samples: [
      await makeVideo(
        folder,
        'a.jls',
        '-frames:v',
        '1',
        '-c:v',
        'jpegls',
        '-pix_fmt',
        'gray16le',
        '-f',
        'image2',
      ),
    ],
    parse: async (input, signal) => {
      await decodeJpegLs([{ ...SIZE, pixels: input }], signal);
      return undefined;
    },
  }),
};

export const MEDIA_PARSERS: readonly UntrustedParser[] = [
  sessionParser,
  cameraParser,
  segmentParser,
  thermalParser,
  jpegLsParser,
];
