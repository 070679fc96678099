import { join } from 'node:path';
import type { PictureLayout } from './picture-layout.ts';
import type { RingTarget, RtspInput, VideoInput } from './video-source.ts';

/** Pipe on which the filter graph prints one line a decoded and one line an analysed frame. */
export const TIMING_FD = 3;
/** Pipe on which the segmenter prints one line a closed segment. */
export const SEGMENT_LIST_FD = 4;
/** Metadata keys that tell the two kinds of timing lines apart. */
export const SOURCE_KEY = 's';
export const ANALYSED_KEY = 'a';

/** Two frames count as one analysis period apart when they are this much closer, s: covers rounding of time stamps. */
const PERIOD_TOLERANCE_S = 0.002;

export interface FfmpegPlan {
  readonly input: VideoInput;
  readonly layout: PictureLayout;
  /** At most this many frames a second are delivered; the others are skipped, not resampled. */
  readonly maxFps: number;
  readonly ring?: RingTarget;
}

/**
 * Arguments of the one ffmpeg child of a session: raw BGR24 pictures on stdout, timing lines on `TIMING_FD`, closed
 * segments on `SEGMENT_LIST_FD`, messages on stderr.
 */
export function buildFfmpegArguments(plan: FfmpegPlan): string[] {
  return [
    '-hide_banner',
    '-nostdin',
    '-nostats',
    ...['-loglevel', 'repeat+level+warning'],
    ...buildInputArguments(plan.input),
    ...['-map', '0:V:0', '-vf', buildFilterGraph(plan.layout, plan.maxFps)],
    ...['-fps_mode', 'passthrough', '-f', 'rawvideo', 'pipe:1'],
    ...(plan.ring === undefined ? [] : buildRingArguments(plan.ring)),
  ];
}

function buildInputArguments(input: VideoInput): string[] {
  if (input.kind === 'file') return ['-i', `file:${input.path}`];
  return [
    // Media time is RTP time since the first packet. Without this it would begin at a guess.
    '-copyts',
    ...['-rtsp_transport', 'tcp', '-allowed_media_types', 'video'],
    ...['-timeout', String(Math.round(input.stallTimeoutMs * 1000))],
    // The session description names the codec's parameters and the size; nothing more needs to be known to begin.
    ...['-analyzeduration', '5000000', '-probesize', '5000000', '-fpsprobesize', '0'],
    // Frame threads would hold back one picture per thread.
    ...['-threads', '1'],
    ...['-i', buildRtspUrl(input)],
  ];
}

/**
 * The address with its credentials. ffmpeg 5.1 takes them in no other way than in the URL, so that they stand in the
 * child's argument list: whoever may list the processes of this machine can read them.
 */
function buildRtspUrl(input: RtspInput): string {
  if (input.username === undefined) return input.url;
  const password = input.password === undefined ? '' : `:${encodeURIComponent(input.password)}`;
  return input.url.replace('://', `://${encodeURIComponent(input.username)}${password}@`);
}

/**
 * The time stamps of copied packets. RTP carries no decoding times, and what ffmpeg guesses for a stream with B-frames
 * stops its muxer. Matroska stores presentation times only, so any decoding times will do that rise with every packet and
 * lie before its presentation: they begin 2 s before media time 0 and rise by 1 ms a packet. ffmpeg 5.1 loses the
 * presentation time of the first picture over RTP, which is 0 by the definition of its timeline.
 */
const COPIED_TIMES = 'setts=pts=if(eq(PTS\\,NOPTS)\\,0\\,PTS):dts=(N/1000-2)/TB';

/**
 * Matroska, because what was written of a segment can be read after a kill. Time stamps stay on the session's media
 * clock: with the default `avoid_negative_ts` a stream with B-frames would be moved against the analysed pictures, and
 * with the default time base they would be rounded to a guessed frame rate.
 */
function buildRingArguments(ring: RingTarget): string[] {
  return [
    ...[
      '-map',
      '0:V:0',
      '-c',
      'copy',
      '-copytb',
      '1',
      '-bsf:v',
      COPIED_TIMES,
      '-avoid_negative_ts',
      'disabled',
    ],
    ...['-f', 'segment', '-segment_time', String(ring.segmentMs / 1000), '-segment_format', 'matroska'],
    ...['-segment_format_options', 'cluster_time_limit=500:flush_packets=1'],
    ...['-segment_list', `pipe:${SEGMENT_LIST_FD}`, '-segment_list_type', 'csv'],
    join(ring.dir.replaceAll('%', '%%'), '%06d.mkv'),
  ];
}

/**
 * Raw pictures carry no time, so the graph prints it: `pts` in whole microseconds (`pts_time` has six digits only).
 * The i-th line of `ANALYSED_KEY` belongs to the i-th raw picture.
 */
export function buildFilterGraph(layout: PictureLayout, maxFps: number): string {
  const period = 1 / maxFps - PERIOD_TOLERANCE_S;
  const head = [
    buildSizeGuard(layout.source),
    'settb=1/1000000',
    buildPrint(SOURCE_KEY),
    `select='isnan(prev_selected_t)+gte(t-prev_selected_t\\,${period.toFixed(6)})'`,
    buildPrint(ANALYSED_KEY),
  ].join(',');
  const scale =
    layout.width === layout.source.width ? '' : `scale=${layout.width}:${layout.height}:flags=fast_bilinear,`;
  if (layout.rows.length === 0) return `${head},${scale}format=bgr24`;
  const lamps = layout.rows.flatMap((row) => row.lamps);
  const chains = [
    `${head},split=${lamps.length + 1}[p]${lamps.map((_, i) => `[l${i}]`).join('')}`,
    `[p]${scale}format=bgr24[picture]`,
  ];
  let lampIndex = 0;
  layout.rows.forEach((row, rowIndex) => {
    const parts = row.lamps.map((lamp) => {
      const { cut, placed } = lamp;
      const shrink =
        placed.width === cut.width && placed.height === cut.height
          ? ''
          : `scale=${placed.width}:${placed.height}:flags=area,`;
      chains.push(
        `[l${lampIndex}]crop=${cut.width}:${cut.height}:${cut.x}:${cut.y}:exact=1,${shrink}format=bgr24,` +
          `pad=${placed.width}:${row.height}:0:0[c${lampIndex}]`,
      );
      return `[c${lampIndex++}]`;
    });
    const beside = parts.length === 1 ? '' : `hstack=inputs=${parts.length},`;
    chains.push(`${parts.join('')}${beside}pad=${layout.width}:${row.height}:0:0[r${rowIndex}]`);
  });
  chains.push(
    `[picture]${layout.rows.map((_, i) => `[r${i}]`).join('')}vstack=inputs=${layout.rows.length + 1}`,
  );
  return chains.join(';');
}

/**
 * A crop to the full picture does nothing; with another size it asks for a negative one, which stops ffmpeg with a
 * message that names the size, at the beginning as well as in mid-stream. See `findSizeMismatch`.
 */
function buildSizeGuard({ width, height }: { width: number; height: number }): string {
  const matches = `eq(iw\\,${width})*eq(ih\\,${height})`;
  return `crop=w='if(${matches}\\,iw\\,-iw)':h='if(${matches}\\,ih\\,-ih)':x=0:y=0:exact=1`;
}

function buildPrint(key: string): string {
  return `metadata=mode=add:key=${key}:value=1,metadata=mode=print:key=${key}:file=pipe\\\\:${TIMING_FD}:direct=1`;
}

/** The size of the real source, where the size guard stopped ffmpeg. */
export function findSizeMismatch(messages: string): { width: number; height: number } | undefined {
  const match = /non positive size for width '-(\d+)' or height '-(\d+)'/.exec(messages);
  return match === null ? undefined : { width: Number(match[1]), height: Number(match[2]) };
}
