import { writeFile } from 'node:fs/promises';
import { NgatuError } from '@ngatu/contract';
import { runMediaCommand } from './media-command.ts';

/** A closed piece of a session's compressed stream; begins with a keyframe. */
export interface RingSegment {
  /** Absolute path of the Matroska file. */
  readonly path: string;
  /** Presentation time of the first keyframe within the session, ms. */
  readonly startMs: number;
  /** End of the last picture within the session, ms. */
  readonly endMs: number;
}

/** One compressed picture. */
export interface PictureEntry {
  /** Presentation time within the session, ms; Matroska keeps whole milliseconds. */
  readonly mediaTimeMs: number;
  readonly isKeyframe: boolean;
}

/** Neighbouring segments of one session and every picture in them. */
export interface Recording {
  readonly segments: readonly RingSegment[];
  readonly codec: 'h264' | 'hevc';
  readonly width: number;
  readonly height: number;
  /** In decode order; begins with a keyframe. */
  readonly pictures: readonly PictureEntry[];
}

/**
 * The list for ffmpeg's concat demuxer. Its time 0 is the first keyframe of the first segment; the durations keep the
 * gaps between segments, which the demuxer would close otherwise.
 */
export function buildConcatList(segments: readonly RingSegment[]): string {
  const lines = ['ffconcat version 1.0'];
  segments.forEach((segment, index) => {
    lines.push(`file 'file:${segment.path.replaceAll("'", "'\\''")}'`);
    const next = segments[index + 1];
    if (next !== undefined) lines.push(`duration ${((next.startMs - segment.startMs) / 1000).toFixed(6)}`);
  });
  return `${lines.join('\n')}\n`;
}

/** Arguments that make ffmpeg read a concat list. Without `auto_convert 0` it adds parameter sets to every keyframe. */
export function buildConcatInput(listFile: string): string[] {
  return [
    '-f',
    'concat',
    '-safe',
    '0',
    '-auto_convert',
    '0',
    '-protocol_whitelist',
    'file,pipe',
    '-i',
    `file:${listFile}`,
  ];
}

/**
 * Reads what the segments hold.
 * @param listFile is written for it; the caller removes it
 * @throws NgatuError CLIP_UNAVAILABLE where there is nothing in them that can be read; SETUP_PACKAGE_MISSING
 */
export async function indexRecording(
  segments: readonly RingSegment[],
  listFile: string,
  signal: AbortSignal,
): Promise<Recording> {
  const [first] = segments;
  if (first === undefined)
    throw new NgatuError('CLIP_UNAVAILABLE', 'Cannot read the ring: no segment covers the time');
  const purpose = `Cannot read the ring from "${first.path}"`;
  await writeFile(listFile, buildConcatList(segments));
  const entries = 'packet=pts_time,flags:stream=codec_name,width,height';
  const text = await runMediaCommand(
    'ffprobe',
    [
      '-v',
      'error',
      ...buildConcatInput(listFile),
      '-select_streams',
      'V:0',
      '-show_entries',
      entries,
      '-of',
      'compact',
    ],
    { purpose, signal },
  ).catch((cause: unknown) => {
    if (cause instanceof NgatuError && cause.code === 'VIDEO_UNREADABLE') {
      throw new NgatuError('CLIP_UNAVAILABLE', cause.message, { cause });
    }
    throw cause;
  });
  const { codec, width, height, pictures } = decodeProbe(text, first.startMs);
  if (pictures[0]?.isKeyframe !== true || width === undefined || height === undefined) {
    throw new NgatuError('CLIP_UNAVAILABLE', `${purpose}: it holds no picture that can be decoded`);
  }
  if (codec !== 'h264' && codec !== 'hevc') {
    throw new NgatuError('CLIP_UNAVAILABLE', `${purpose}: "${codec}" is not H.264 or H.265`);
  }
  return { segments, codec, width, height, pictures };
}

/** What ffprobe printed of the packets and the stream; times are moved so that the first packet stands at `originMs`. */
export function decodeProbe(text: string, originMs: number) {
  const pictures: PictureEntry[] = [];
  let offsetMs: number | undefined;
  for (const match of text.matchAll(/^packet\|pts_time=(-?\d{1,15}(?:\.\d+)?)\|flags=(\S+)/gm)) {
    const timeMs = Number(match[1]) * 1000;
    offsetMs ??= originMs - timeMs;
    pictures.push({
      mediaTimeMs: Math.round(timeMs + offsetMs),
      isKeyframe: match[2]?.includes('K') === true,
    });
  }
  const stream = /^stream\|codec_name=(\w+)\|width=(\d+)\|height=(\d+)/m.exec(text);
  return {
    pictures,
    ...(stream === null ? {} : { codec: stream[1], width: Number(stream[2]), height: Number(stream[3]) }),
  };
}
