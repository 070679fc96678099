import { NgatuError } from '@ngatu/contract';
import { type MediaPlan, runMediaPlans } from './media-plan.ts';
import type { PictureEntry, Recording } from './recording.ts';

export interface ClipRange {
  /** Wanted beginning and end, ms of the session's media time. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** A clip as it was cut. */
export interface Clip {
  readonly codec: 'h264' | 'hevc';
  readonly width: number;
  readonly height: number;
  /** Presentation time of its first picture within the session, ms. */
  readonly startMs: number;
  /** From the first to the end of the last picture, ms. */
  readonly durationMs: number;
}

/** Packets of a recording that make a clip, as places in decode order. */
export interface ClipSelection {
  readonly first: number;
  readonly last: number;
  /** Between `first` and `last`, but presented before `first`: they need pictures that are not in the clip. */
  readonly dropped: readonly number[];
  /** Presentation time of the first packet, ms. */
  readonly startMs: number;
  /** Presentation time of the last picture, ms. */
  readonly endMs: number;
}

/**
 * From the last keyframe at or before `fromMs` (or the first one at all) to the last packet, in decode order, that is
 * presented by `toMs`. Undefined where nothing lies between.
 */
export function selectClip(pictures: readonly PictureEntry[], range: ClipRange): ClipSelection | undefined {
  let first = 0;
  let last = -1;
  pictures.forEach(({ mediaTimeMs, isKeyframe }, index) => {
    if (isKeyframe && mediaTimeMs <= range.fromMs) first = index;
    if (mediaTimeMs <= range.toMs) last = index;
  });
  const start = pictures[first];
  if (start === undefined || !start.isKeyframe || last < first || start.mediaTimeMs > range.toMs)
    return undefined;
  const dropped: number[] = [];
  let endMs = start.mediaTimeMs;
  for (let place = first; place <= last; place++) {
    const mediaTimeMs = pictures[place]?.mediaTimeMs ?? start.mediaTimeMs;
    if (mediaTimeMs < start.mediaTimeMs) dropped.push(place);
    endMs = Math.max(endMs, mediaTimeMs);
  }
  return { first, last, dropped, startMs: start.mediaTimeMs, endMs };
}

/** A clip that is yet to be cut: what it will be, and what ffmpeg must be told. */
export interface ClipPlan {
  readonly clip: Clip;
  readonly command: MediaPlan;
}

/**
 * Plans an MP4 of the original packets; nothing is encoded anew. Its time 0 is its first picture. It plays while it
 * loads (index in front), and H.265 carries the tag `hvc1` that browsers ask for.
 * @param listFile is written for it; the caller removes it
 * @throws NgatuError CLIP_UNAVAILABLE
 */
export function planClip(
  recording: Recording,
  options: ClipRange & { readonly outFile: string; readonly listFile: string },
): ClipPlan {
  const { segments, pictures, codec, width, height } = recording;
  const selection = selectClip(pictures, options);
  const [segment] = segments;
  if (selection === undefined || segment === undefined) {
    throw new NgatuError(
      'CLIP_UNAVAILABLE',
      `Cannot cut a clip: nothing lies between ${options.fromMs} and ${options.toMs} ms`,
    );
  }
  // By number, and moved by the muxer: bitstream filters of ffmpeg 5.1 are told a wrong time base when copying.
  const dropped = selection.dropped.map((place) => `+eq(n\\,${place})`).join('');
  const drop = `lt(n\\,${selection.first})+gt(n\\,${selection.last})${dropped}`;
  const offsetS = (segment.startMs - selection.startMs) / 1000;
  return {
    clip: {
      codec,
      width,
      height,
      startMs: selection.startMs,
      durationMs: selection.endMs - selection.startMs + computeInterval(pictures),
    },
    command: {
      listFile: options.listFile,
      segments,
      outputs: [
        [
          ...['-c', 'copy', '-bsf:v', `noise=drop='${drop}'`, '-output_ts_offset', offsetS.toFixed(6)],
          ...(codec === 'hevc' ? ['-tag:v', 'hvc1'] : []),
          ...[
            '-video_track_timescale',
            '90000',
            '-movflags',
            '+faststart',
            '-fflags',
            '+bitexact',
            '-f',
            'mp4',
          ],
          `file:${options.outFile}`,
        ],
      ],
    },
  };
}

/**
 * Cuts a clip by itself, as planned.
 * @throws NgatuError CLIP_UNAVAILABLE, DISK_FULL, VIDEO_UNREADABLE
 */
export async function cutClip(
  recording: Recording,
  options: ClipRange & { readonly outFile: string; readonly listFile: string },
  signal: AbortSignal,
): Promise<Clip> {
  const { clip, command } = planClip(recording, options);
  await runMediaPlans([command], { purpose: 'Cannot cut a clip', signal });
  return clip;
}

/** Median time between pictures, ms. */
export function computeInterval(pictures: readonly PictureEntry[]): number {
  const times = pictures.map(({ mediaTimeMs }) => mediaTimeMs).sort((a, b) => a - b);
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? time));
  gaps.sort((a, b) => a - b);
  return gaps[Math.floor(gaps.length / 2)] ?? 0;
}
