import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { CameraInterval, Event, EvidenceFile } from '@ngatu/contract';
import { anEvent, anEvidenceFile, type TestCentre } from '../cloud/src/api/api-test-centre.ts';

/** A drawn junction with a box for a road user, in place of anybody's face or plate. */

const run = promisify(execFile);
const CLIP_MS = 6_000;
/** Where the decisive moment lies in the clip. */
export const MOMENT_MS = 3_000;
const STILLS = [
  { role: 'still-before', atMs: MOMENT_MS - 1_500 },
  { role: 'still-at', atMs: MOMENT_MS },
  { role: 'still-after', atMs: MOMENT_MS + 1_500 },
] as const;

/** At the moment the box covers [0.42, 0.4, 0.55, 0.72] of the picture, as in `anEvent`. */
function buildFilter(hue: string): string {
  const road = [
    'drawbox=x=0:y=0:w=iw:h=150:c=0x6f8194:t=fill',
    'drawbox=x=340:y=150:w=8:h=570:c=0xb9c0c6:t=fill',
    'drawbox=x=932:y=150:w=8:h=570:c=0xb9c0c6:t=fill',
    'drawbox=x=348:y=470:w=584:h=14:c=0xf2f2f2:t=fill',
    'drawbox=x=1040:y=40:w=46:h=120:c=0x1a1d20:t=fill',
    'drawbox=x=1050:y=50:w=26:h=26:c=0xff2a2a:t=fill',
  ].join(',');
  const y = `H*0.4-(t-${MOMENT_MS / 1_000})*70`;
  return `[0]${road}[road];[1]drawbox=x=30:y=20:w=106:h=90:c=${hue}:t=fill[rider];[road][rider]overlay=x=W*0.42:y='${y}'`;
}

export interface Footage {
  readonly clip: Buffer;
  /** What is shown before the original is opened: small, and of a codec that every browser plays. */
  readonly preview: Buffer;
  readonly stills: readonly Buffer[];
}

/** Draws the clip and its stills with ffmpeg's own sources. */
export async function drawFootage(
  folder: string,
  { codec, hue }: { codec: 'h264' | 'hevc'; hue: string },
): Promise<Footage> {
  const name = `${codec}-${hue}`;
  const clip = join(folder, `${name}.mp4`);
  const source = (color: string, size: string) => [
    '-f',
    'lavfi',
    '-i',
    `color=c=${color}:s=${size}:r=25:d=${CLIP_MS / 1_000}`,
  ];
  const encoder =
    codec === 'h264'
      ? ['libx264', '-preset', 'ultrafast']
      : ['libx265', '-preset', 'ultrafast', '-tag:v', 'hvc1'];
  const quiet = ['-nostdin', '-loglevel', 'error', '-y'];
  const drawn = [
    ...source('0x3b4048', '1280x720'),
    ...source('0x8a3030', '166x230'),
    '-filter_complex',
    buildFilter(hue),
  ];
  await run('ffmpeg', [
    ...quiet,
    ...drawn,
    '-c:v',
    ...encoder,
    '-g',
    '25',
    '-pix_fmt',
    'yuv420p',
    '-movflags',
    '+faststart',
    clip,
  ]);
  const stills: Buffer[] = [];
  for (const { role, atMs } of STILLS) {
    const still = join(folder, `${name}-${role}.jpg`);
    await run('ffmpeg', [
      ...quiet,
      '-ss',
      String(atMs / 1_000),
      '-i',
      clip,
      '-frames:v',
      '1',
      '-q:v',
      '3',
      still,
    ]);
    stills.push(await readFile(still));
  }
  const preview = join(folder, `${name}-preview.mp4`);
  const small = ['-vf', 'scale=640:360', '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25'];
  await run('ffmpeg', [...quiet, '-i', clip, ...small, '-movflags', '+faststart', preview]);
  return { clip: await readFile(clip), preview: await readFile(preview), stills };
}

/** The manifest's files for an event that happened at `capturedAt`. */
export function describeFootage(
  { clip, preview, stills }: Footage,
  { capturedAt, codec }: { capturedAt: string; codec: 'h264' | 'hevc' },
): EvidenceFile[] {
  const moment = Date.parse(capturedAt);
  const at = (offsetMs: number) => new Date(moment + offsetMs - MOMENT_MS).toISOString();
  const video = {
    mediaType: 'video/mp4',
    durationMs: CLIP_MS,
    eventOffsetMs: MOMENT_MS,
    capturedAt: at(0),
  } as const;
  return [
    ...STILLS.map(({ role, atMs }, index) =>
      anEvidenceFile(stills[index] ?? Buffer.of(), { role, capturedAt: at(atMs) }),
    ),
    anEvidenceFile(preview, { role: 'preview', codec: 'h264', ...video, width: 640, height: 360 }),
    anEvidenceFile(clip, { role: 'clip', codec, ...video }),
  ];
}

/** Commits the event with its manifest and all files. */
export async function commitCase(
  centre: TestCentre,
  request: { event: Event; footage: Footage; codec?: 'h264' | 'hevc' },
): Promise<void> {
  const { event, footage, codec = 'h264' } = request;
  centre.commitEvent(event);
  centre.commitManifest(event, describeFootage(footage, { capturedAt: event.capturedAt, codec }));
  for (const bytes of [...footage.stills, footage.preview, footage.clip]) await centre.storeFile(bytes);
}

/** An event `agoMs` before `nowMs`. */
export function anEventAgo(
  number: number,
  nowMs: number,
  changes: Partial<Event> & { agoMs: number },
): Event {
  const { agoMs, ...rest } = changes;
  return anEvent(number, { capturedAt: new Date(nowMs - agoMs).toISOString(), ...rest });
}

/** A stretch of a camera's ledger that ends `toAgoMs` before `nowMs`. */
export function anIntervalAgo(
  nowMs: number,
  {
    fromAgoMs,
    toAgoMs,
    ...rest
  }: { fromAgoMs: number; toAgoMs: number } & Pick<CameraInterval, 'state' | 'reason'>,
): CameraInterval {
  const frames = rest.state === 'blind' ? 0 : Math.round((fromAgoMs - toAgoMs) / 80);
  return {
    from: new Date(nowMs - fromAgoMs).toISOString(),
    to: new Date(nowMs - toAgoMs).toISOString(),
    ...rest,
    framesDecoded: frames,
    framesAnalysed: frames,
    framesDropped: 0,
  };
}
