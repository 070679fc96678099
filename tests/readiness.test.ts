import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { parseWithSchema, type ReadinessItemName, Scene } from '@ngatu/contract';
import { CameraReadiness, type Frame } from '@ngatu/edge';
import { AssetStore } from '@ngatu/models';
import { describe, expect, it } from 'vitest';

const run = promisify(execFile);
const store = new AssetStore();
/** One picture a second; the reference is the median of the first ones. */
const REFERENCE_FRAMES = 10;
const FRAMES = 30;

interface Clip {
  readonly asset: string;
  readonly width: number;
  readonly height: number;
  /** Also with every fault put in; the others only as they are on every day. */
  readonly isAltered?: boolean;
}

const CLIPS: readonly Clip[] = [
  { asset: 'hanoi-giangvo-langha-1615', width: 640, height: 480, isAltered: true },
  { asset: 'intersection-borislavy', width: 640, height: 480 },
  { asset: 'street-parked-ckuhn', width: 640, height: 360, isAltered: true },
  { asset: 'vtest', width: 512, height: 384 },
];

type Alter = (frame: Frame) => Frame;

/** Faults that somebody put into real pictures, with the item that must name it. */
const FAULTS: readonly (readonly [string, ReadinessItemName, Alter])[] = [
  ['blurred', 'focus', blur],
  ['dark', 'exposure', (frame) => remap(frame, (value) => value * 0.12)],
  ['over-exposed', 'exposure', (frame) => remap(frame, (value) => value + 160)],
  ['half covered', 'obstruction', (frame) => cover(frame, 0.5)],
  ['a quarter covered', 'obstruction', (frame) => cover(frame, 0.27)],
  ['moved by 8 px', 'view', (frame) => shift(frame, 8, 0)],
  ['moved by 20 px', 'view', (frame) => shift(frame, 18, 9)],
  ['turned by 1°', 'view', (frame) => turn(frame, 1)],
];

/** What happens on every day, and is no fault. */
const DAYS: readonly (readonly [string, Alter])[] = [
  ['as it is', (frame) => frame],
  ['brighter, with more contrast', (frame) => remap(frame, (value) => (value - 60) * 1.2 + 75)],
  ['dimmer', (frame) => remap(frame, (value) => 255 * (value / 255) ** 1.5)],
];

for (const clip of CLIPS) {
  const asset = await store.find(clip.asset);
  describe.skipIf(asset === undefined)(`readiness on ${clip.asset}`, async () => {
    const frames = asset === undefined ? [] : await readFrames(asset.path, clip);

    it.each(DAYS)('does not complain %s, with its traffic', (_, alter) => {
      const readiness = watch(frames, alter, clip);
      expect(readiness.everFailing).toEqual([]);
      expect(readiness.states['view']).toBe('ready');
      expect(readiness.states['obstruction']).toBe('ready');
      expect(readiness.states['focus']).toBe('ready');
    });

    it.each(clip.isAltered === true ? FAULTS : FAULTS.slice(-2))(
      'names what is wrong when %s',
      (_, item, alter) => {
        const readiness = watch(frames, alter, clip);
        expect(readiness.states[item]).toBe('failing');
        expect(readiness.everFailing).toEqual([item]);
        expect(readiness.blocked).toEqual(['nobody']);
      },
    );
  });
}

interface Watched {
  readonly states: Readonly<Record<string, string>>;
  readonly everFailing: readonly string[];
  readonly blocked: readonly string[];
}

function watch(frames: readonly Frame[], alter: Alter, { width, height }: Clip): Watched {
  const corner = [
    [0, 0],
    [width, 0],
    [width, height],
  ];
  const scene = parseWithSchema(
    Scene,
    {
      schemaVersion: 1,
      name: 'watched',
      picture: { width, height },
      zones: [{ name: 'area', polygon: corner }],
      rules: [{ name: 'nobody', kind: 'FORBIDDEN_AREA', zone: 'area', labels: ['person'] }],
    },
    { code: 'SCENE_INVALID', what: 'the scene of a test' },
  );
  const readiness = new CameraReadiness(scene, {
    sampleMs: 900,
    checkMs: 2_900,
    referenceSamples: REFERENCE_FRAMES,
  });
  const ever = new Set<string>();
  frames.forEach((frame, index) => {
    readiness.addFrame(index < REFERENCE_FRAMES + 3 ? frame : alter(frame), { signals: [] });
    for (const { item, state } of readiness.report(frame.capturedAtMs).items) {
      if (state === 'failing') ever.add(item);
    }
  });
  const { items, blocked } = readiness.report(frames.at(-1)?.capturedAtMs ?? 0);
  return {
    states: Object.fromEntries(items.map(({ item, state }) => [item, state])),
    everFailing: [...ever],
    blocked: blocked.map(({ rule }) => rule),
  };
}

async function readFrames(video: string, { width, height }: Clip): Promise<Frame[]> {
  const args = ['-v', 'error', '-nostdin', '-i', video, '-vf', `fps=1,scale=${width}:${height}`];
  const { stdout } = await run(
    'ffmpeg',
    [...args, '-frames:v', String(FRAMES), '-pix_fmt', 'bgr24', '-f', 'rawvideo', '-'],
    { encoding: 'buffer', maxBuffer: 256 * 1024 * 1024 },
  );
  const size = width * height * 3;
  return Array.from({ length: Math.floor(stdout.length / size) }, (_, index) => ({
    session: 'watched',
    index,
    mediaTimeMs: index * 1000,
    capturedAtMs: Date.UTC(2025, 6, 1) + index * 1000,
    clockErrorMs: 0,
    width,
    height,
    pixels: stdout.subarray(index * size, (index + 1) * size),
    sourceWidth: width,
    sourceHeight: height,
    lamps: [],
  }));
}

function remap(frame: Frame, map: (value: number) => number): Frame {
  const table = Uint8ClampedArray.from({ length: 256 }, (_, value) => map(value));
  return { ...frame, pixels: frame.pixels.map((value) => table[value] ?? 0) };
}

/** Somebody hangs a grey cloth over the left of the picture. */
function cover(frame: Frame, share: number): Frame {
  const pixels = frame.pixels.slice();
  for (let y = 0; y < frame.height; y++) {
    const row = y * frame.width * 3;
    pixels.fill(90, row, row + 3 * Math.round(share * frame.width));
  }
  return { ...frame, pixels };
}

/** A mean over 5 × 5 px. */
function blur(frame: Frame): Frame {
  const { width, height } = frame;
  const passes = [3, 3 * width].reduce((pixels, stride) => {
    const out = new Uint8Array(pixels.length);
    const last = pixels.length - 1;
    for (let i = 0; i < out.length; i++) {
      let sum = 0;
      for (let k = -2; k <= 2; k++) sum += pixels[Math.min(last, Math.max(0, i + k * stride))] ?? 0;
      out[i] = sum / 5;
    }
    return out;
  }, Uint8Array.from(frame.pixels));
  return { ...frame, width, height, pixels: passes };
}

/** What the camera no longer sees at one edge is repeated at the other. */
function shift(frame: Frame, dx: number, dy: number): Frame {
  const by = 3 * (dy * frame.width + dx);
  const pixels = new Uint8Array(frame.pixels.length);
  pixels.set(frame.pixels.subarray(by));
  pixels.set(frame.pixels.subarray(0, by), pixels.length - by);
  return { ...frame, pixels };
}

function turn(frame: Frame, degrees: number): Frame {
  const [sin, cos] = [Math.sin((degrees * Math.PI) / 180), Math.cos((degrees * Math.PI) / 180)];
  const [cx, cy] = [frame.width / 2, frame.height / 2];
  return warp(frame, (x, y) => [cx + (x - cx) * cos - (y - cy) * sin, cy + (x - cx) * sin + (y - cy) * cos]);
}

/** Takes each pixel from where `from` says, between the pixels there. */
function warp(frame: Frame, from: (x: number, y: number) => readonly [number, number]): Frame {
  const { width, height, pixels } = frame;
  const out = new Uint8Array(pixels.length);
  const row = 3 * width;
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += 3) {
      const [sx, sy] = from(x, y);
      const left = Math.max(0, Math.min(width - 2, Math.floor(sx)));
      const top = Math.max(0, Math.min(height - 2, Math.floor(sy)));
      const fx = Math.max(0, Math.min(1, sx - left));
      const fy = Math.max(0, Math.min(1, sy - top));
      const at = (top * width + left) * 3;
      for (let c = at; c < at + 3; c++) {
        const upper = (pixels[c] ?? 0) * (1 - fx) + (pixels[c + 3] ?? 0) * fx;
        const lower = (pixels[c + row] ?? 0) * (1 - fx) + (pixels[c + row + 3] ?? 0) * fx;
        out[to + c - at] = upper * (1 - fy) + lower * fy;
      }
    }
  }
  return { ...frame, pixels: out };
}
