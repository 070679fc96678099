import { appendFile, mkdir, open, readdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { runMediaCommand } from './media-command.ts';
import type { RingSegment } from './recording.ts';

/** How media time of a session relates to the node's clock: `epochMs = anchorMs + mediaTimeMs`. */
export interface SessionAnchor {
  /** Instant of media time 0, ms since 1970. */
  readonly anchorMs: number;
  /** Bound on the error, ms. */
  readonly errorMs: number;
}

/** A segment on disk. */
export interface StoredSegment extends RingSegment {
  readonly name: string;
  readonly sizeBytes: number;
}

/** What a session's folder holds, as it was found. */
export interface FolderContent {
  readonly anchor?: SessionAnchor;
  /** Rising by time. */
  readonly segments: readonly StoredSegment[];
  /** Segment files that the list does not name: unfinished when the agent died. */
  readonly unlisted: readonly string[];
}

const ANCHOR_FILE = 'session.json';
const LIST_FILE = 'segments.csv';
const SEGMENT_NAME = /^\d+\.mkv$/;

export async function makeSessionFolder(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true });
}

/** Written beside the segments, whole or not at all, so that a restarted agent can still cut by the clock. */
export async function writeAnchor(dir: string, anchor: SessionAnchor): Promise<void> {
  const temporary = join(dir, `${ANCHOR_FILE}.new`);
  const handle = await open(temporary, 'w');
  try {
    await handle.writeFile(`${JSON.stringify({ anchorMs: anchor.anchorMs, errorMs: anchor.errorMs })}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, join(dir, ANCHOR_FILE));
}

/** Notes a closed segment, so that it needs no probing after a restart. */
export async function appendToList(
  dir: string,
  segment: { name: string; startMs: number; endMs: number },
): Promise<void> {
  await appendFile(join(dir, LIST_FILE), `${segment.name},${segment.startMs},${segment.endMs}\n`);
}

/** Reads a folder; lines of the list that are torn or name no file are passed over. */
export async function readSessionFolder(dir: string): Promise<FolderContent> {
  const names = new Set((await readdir(dir)).filter((name) => SEGMENT_NAME.test(name)));
  const anchor = decodeAnchor(await readIfThere(join(dir, ANCHOR_FILE)));
  const segments: StoredSegment[] = [];
  for (const line of (await readIfThere(join(dir, LIST_FILE))).split('\n')) {
    const match = /^(\d+\.mkv),(-?\d{1,15}(?:\.\d+)?),(-?\d{1,15}(?:\.\d+)?)$/.exec(line);
    const name = match?.[1];
    if (match === null || name === undefined || !names.delete(name)) continue;
    const path = join(dir, name);
    const { size } = await stat(path);
    segments.push({ name, path, startMs: Number(match[2]), endMs: Number(match[3]), sizeBytes: size });
  }
  segments.sort((a, b) => a.startMs - b.startMs);
  return { ...(anchor === undefined ? {} : { anchor }), segments, unlisted: [...names].sort() };
}

/**
 * Reads the times out of a segment file, also of one that was not finished.
 * @returns undefined where it is no video
 */
export async function probeSegment(
  path: string,
  signal: AbortSignal,
): Promise<{ startMs: number; endMs: number } | undefined> {
  const args = [
    '-v',
    'error',
    '-select_streams',
    'V:0',
    '-show_entries',
    'packet=pts_time,flags',
    '-of',
    'csv=p=0',
  ];
  let text: string;
  try {
    text = await runMediaCommand('ffprobe', [...args, `file:${path}`], {
      purpose: `Cannot read "${path}"`,
      signal,
    });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Error) return undefined;
    throw error;
  }
  return decodePacketTimes(text);
}

/** First and last time of what ffprobe printed of a segment's packets; undefined where it does not begin with a keyframe. */
export function decodePacketTimes(text: string): { startMs: number; endMs: number } | undefined {
  let startMs: number | undefined;
  let endMs = Number.NEGATIVE_INFINITY;
  for (const [, time, flags] of text.matchAll(/^(-?\d{1,15}(?:\.\d+)?),(\S*)$/gm)) {
    const timeMs = Math.round(Number(time) * 1000);
    if (startMs === undefined && flags?.includes('K') !== true) return undefined;
    startMs ??= timeMs;
    endMs = Math.max(endMs, timeMs);
  }
  return startMs === undefined ? undefined : { startMs, endMs };
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

/** Undefined where the file is absent, torn or of another form: the session can then be cut by media time only. */
function decodeAnchor(text: string): SessionAnchor | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('anchorMs' in value) || !('errorMs' in value))
    return undefined;
  const { anchorMs, errorMs } = value;
  // JSON has no NaN, but 1e999 is read as Infinity
  return isFiniteNumber(anchorMs) && isFiniteNumber(errorMs) ? { anchorMs, errorMs } : undefined;
}

function isFiniteNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
