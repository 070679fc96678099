import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { UntrustedParser } from '@ngatu/contract';
import sharp from 'sharp';
import { maskSecrets } from '../camera/ffmpeg-child.ts';
import { computePictureLayout, splitRawPicture } from '../camera/picture-layout.ts';
import { readRawPictures } from '../camera/raw-picture-stream.ts';
import { readSegmentList } from '../camera/segment-list.ts';
import { explainEnd } from '../camera/session-failure.ts';
import { TimingLines } from '../camera/timing-lines.ts';
import type { RoadPart } from '../detect/detection.ts';
import { computeYoloxShape, YoloxDecoder } from '../detect/yolox-decoder.ts';
import { readPixels } from '../evidence/blur-still.ts';
import { decodeProbe } from '../evidence/recording.ts';
import {
  appendToList,
  decodePacketTimes,
  readSessionFolder,
  writeAnchor,
} from '../evidence/session-folder.ts';
import { readPictureFile } from '../frame/picture-file.ts';
import { readLamp } from '../signal/lamp-reader.ts';
import { FrameTimes } from '../thermal/frame-times.ts';

const encode = (text: string): Uint8Array => Buffer.from(text);
const decode = (input: Uint8Array): string => Buffer.from(input).toString('utf8');

const TIMING = Array.from(
  { length: 12 },
  (_, i) =>
    `frame:${i}    pts:${i * 40_000}  pts_time:${i * 0.04}\ns=1\nframe:${i}    pts:${i * 40_000}  pts_time:0\na=1\n`,
).join('');

const timingParser: UntrustedParser = {
  name: 'ffmpeg-timing',
  covers: [],
  source: 'ffmpeg, of a camera’s stream',
  form: 'text',
  pace: 'process',
  open: async () => ({
    samples: [encode(TIMING)],
    parse: async (input) => {
      const text = decode(input);
      await new FrameTimes(Readable.from([text])).take();
      const lines = new TimingLines();
      try {
        for (let at = 0; at < text.length; at += 700) lines.push(text.slice(at, at + 700));
        return undefined;
      } catch (error) {
        // its caller ends the session with these words
        if (error instanceof Error && /timing line|presentation time/.test(error.message)) return 'TIMING';
        throw error;
      }
    },
  }),
};

const segmentParser: UntrustedParser = {
  name: 'segment-list',
  covers: ['edge/src/camera/segment-list.ts#readSegmentList'],
  source: 'ffmpeg, of a camera’s stream',
  form: 'text',
  pace: 'process',
  open: async () => ({
    samples: [encode('000000.mkv,0.000000,2.880000\n000001.mkv,2.880000,4.360000\n')],
    parse: async (input) => {
      let segments = 0;
      await readSegmentList(Readable.from([Buffer.from(input)], { objectMode: false }), () => segments++);
      return segments === 0 ? 'NO_SEGMENT' : undefined;
    },
  }),
};

const probeParser: UntrustedParser = {
  name: 'ffprobe-output',
  covers: [
    'edge/src/evidence/recording.ts#decodeProbe',
    'edge/src/evidence/session-folder.ts#decodePacketTimes',
  ],
  source: 'ffprobe, of a segment of the ring',
  form: 'text',
  pace: 'process',
  open: async () => ({
    samples: [
      encode(
        'packet|pts_time=0.000000|flags=K__\npacket|pts_time=0.040000|flags=___\nstream|codec_name=h264|width=1920|height=1080\n',
      ),
      encode('0.000000,K__\n0.080000,___\n0.040000,___\n'),
    ],
    extremes: [encode('0.000000,K__\n'.repeat(300_000))],
    parse: (input) => {
      const text = decode(input);
      const times = decodePacketTimes(text);
      if (times !== undefined && !(times.startMs <= times.endMs))
        throw new RangeError('an end before the begin');
      const { pictures } = decodeProbe(text, 5_000);
      return times === undefined && pictures.length === 0 ? 'NO_PACKET' : undefined;
    },
  }),
};

/** As much as is kept of them. */
const MESSAGES_MAX_CHARS = 4_096;

const messageParser: UntrustedParser = {
  name: 'ffmpeg-messages',
  covers: [],
  source: 'ffmpeg, in the words of a camera',
  form: 'text',
  pace: 'process',
  open: async () => ({
    samples: [
      encode(
        '[rtsp @ 0x55] [error] method DESCRIBE failed: 401 Unauthorized\nrtsp://user:secret@10.0.0.9/: Operation timed out\n',
      ),
      encode(
        '[Parsed_scale_0 @ 0x5] [info] w:1280 h:720 fmt:yuv420p sar:1/1 -> w:640 h:360\n[error] partial file\n',
      ),
    ],
    parse: (input) => {
      const messages = maskSecrets(decode(input).slice(-MESSAGES_MAX_CHARS), ['secret']);
      const picture = { width: 1280, height: 720 };
      for (const framesDecoded of [0, 5]) {
        const end = { exit: { code: 0 }, messages, framesDecoded };
        explainEnd({ kind: 'rtsp', url: 'rtsp://127.0.0.1/a', stallTimeoutMs: 1 }, picture, end);
        explainEnd({ kind: 'file', path: 'a.mp4', startMs: 0 }, picture, end);
      }
      return undefined;
    },
  }),
};

const rawParser: UntrustedParser = {
  name: 'raw-pictures',
  covers: [
    'edge/src/camera/raw-picture-stream.ts#readRawPictures',
    'edge/src/camera/picture-layout.ts#splitRawPicture',
    'edge/src/signal/lamp-reader.ts#readLamp',
  ],
  source: 'ffmpeg, of a camera’s stream',
  form: 'binary',
  pace: 'process',
  open: async () => {
    const layout = computePictureLayout({
      picture: { width: 64, height: 48 },
      maxWidth: 32,
      lamps: [{ signal: 'lamp', box: [4, 3, 13, 30] }],
    });
    const sizeBytes = layout.width * layout.rawHeight * 3;
    const picture = Buffer.from(Uint8Array.from({ length: sizeBytes * 2 }, (_, i) => (i * 31) % 256));
    return {
      samples: [picture],
      parse: async (input) => {
        let pictures = 0;
        for await (const raw of readRawPictures(
          Readable.from([Buffer.from(input)], { objectMode: false }),
          sizeBytes,
        )) {
          pictures++;
          for (const lamp of splitRawPicture(layout, raw).lamps) readLamp(lamp, ['red', 'amber', 'green']);
        }
        return pictures === 0 ? 'NO_PICTURE' : undefined;
      },
    };
  },
};

const tensorParser: UntrustedParser = {
  name: 'detector-output',
  covers: ['edge/src/detect/yolox-decoder.ts#YoloxDecoder'],
  source: 'a model that was given to the node',
  form: 'binary',
  pace: 'process',
  open: async () => {
    const size = { inputWidth: 64, inputHeight: 64, sourceWidth: 640, sourceHeight: 640 };
    const labels = ['person', 'car', 'motorbike', 'plate'] as const;
    const classes = labels.map((label, index) => ({ index, label, minConfidence: 0.1 }));
    const form = { classCount: 8, strides: [8, 16, 32], classes };
    const length = computeYoloxShape(form, 64, 64).reduce((product, side) => product * side, 1);
    const tensor = Float32Array.from({ length }, (_, i) => ((i * 37) % 100) / 100);
    const yolox = new YoloxDecoder(form);
    return {
      samples: [new Uint8Array(tensor.buffer)],
      parse: (input) => {
        const output = new Float32Array(length);
        new Uint8Array(output.buffer).set(input.subarray(0, output.byteLength));
        const options = { ...size, maxIou: 0.45, scaleX: 10, scaleY: 10 };
        const parts: RoadPart[] = [];
        const users = yolox.decode(output, options, parts);
        const found = [...users, ...parts];
        const isInside = ({ box }: (typeof found)[number]): boolean =>
          box.every((side) => side >= 0 && side <= 640);
        if (!found.every((detection) => isInside(detection) && detection.confidence >= 0))
          throw new RangeError('a detection outside the picture, or without confidence');
        return undefined;
      },
    };
  },
};

const pictureParser: UntrustedParser = {
  name: 'picture-file',
  covers: ['edge/src/frame/picture-file.ts#readPictureFile', 'edge/src/evidence/blur-still.ts#readPixels'],
  source: 'who hands over a picture',
  form: 'binary',
  pace: 'process',
  open: async (folder) => {
    const file = join(folder, 'picture');
    const raw = { width: 24, height: 16, channels: 3 } as const;
    const picture = sharp(Buffer.alloc(24 * 16 * 3, 90), { raw });
    const samples = await Promise.all([
      picture.clone().jpeg().toBuffer(),
      picture.clone().png().toBuffer(),
      picture.clone().webp().toBuffer(),
    ]);
    return {
      samples,
      parse: async (input) => {
        writeFileSync(file, input);
        await readPixels(file);
        const { width, height, pixels } = await readPictureFile(file, 64);
        if (pixels.length !== width * height * 3)
          throw new RangeError('a picture of another size than it says');
        return undefined;
      },
    };
  },
};

const folderParser: UntrustedParser = {
  name: 'session-folder',
  covers: ['edge/src/evidence/session-folder.ts#readSessionFolder'],
  source: 'the ring on disk, torn by a power cut',
  form: 'text',
  pace: 'process',
  open: async (folder) => {
    for (const name of ['000000.mkv', '000001.mkv', '000002.mkv']) writeFileSync(join(folder, name), '');
    await appendToList(folder, { name: '000000.mkv', startMs: 0, endMs: 2_880 });
    await writeAnchor(folder, { anchorMs: 1_763_000_000_000, errorMs: 40 });
    return {
      samples: [
        encode('000000.mkv,0,2880\n000001.mkv,2880,4360.5\n'),
        encode('{"anchorMs":1763000000000,"errorMs":40}\n'),
      ],
      parse: async (input) => {
        writeFileSync(join(folder, 'segments.csv'), input);
        writeFileSync(join(folder, 'session.json'), input);
        const { segments, anchor } = await readSessionFolder(folder);
        if (!segments.every(({ startMs, endMs }) => Number.isFinite(startMs) && Number.isFinite(endMs)))
          throw new RangeError('a segment without a time');
        return segments.length === 0 && anchor === undefined ? 'NOTHING' : undefined;
      },
    };
  },
};

export const CAMERA_PARSERS: readonly UntrustedParser[] = [
  timingParser,
  segmentParser,
  probeParser,
  messageParser,
  rawParser,
  tensorParser,
  pictureParser,
  folderParser,
];
