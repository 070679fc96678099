import type { PictureEntry, Recording } from './recording.ts';
import type { PreviewFrames } from './still.ts';

/** A preview shows this much before and after the decisive moment, ms. */
const BEFORE_MS = 4_000;
const AFTER_MS = 3_000;
const MAX_FPS = 5;
/** Low on purpose: what is not blurred is hard to recognise too, px. */
export const PREVIEW_LONG_SIDE_PX = 512;

/** The pictures that a preview is made of, and how fast they follow one another. */
export interface PreviewChoice extends PreviewFrames {
  readonly fps: number;
}

/**
 * Chooses the pictures of the recording around the moment, at most five a second. Undefined where there are fewer than two.
 * @param decodableFromMs what was presented before cannot be decoded, ms of media time
 */
export function choosePreview(
  { pictures, width, height }: Recording,
  momentMs: number,
  decodableFromMs: number,
): PreviewChoice | undefined {
  const times = listTimes(pictures, Math.max(decodableFromMs, momentMs - BEFORE_MS), momentMs + AFTER_MS);
  const [first] = times;
  const last = times.at(-1);
  if (first === undefined || last === undefined || times.length < 2) return undefined;
  const sourceFps = ((times.length - 1) * 1000) / (last - first);
  const fps = Math.min(MAX_FPS, Math.max(1, Math.round(sourceFps)));
  const timesMs: number[] = [];
  for (let tick = first; tick <= last; tick += 1000 / fps) {
    const nearest = findNearest(times, tick);
    if (nearest !== timesMs.at(-1)) timesMs.push(nearest);
  }
  const scale = Math.min(1, PREVIEW_LONG_SIDE_PX / Math.max(width, height));
  const even = (length: number): number => Math.max(16, 2 * Math.round((length * scale) / 2));
  return { timesMs, fps, width: even(width), height: even(height) };
}

function listTimes(pictures: readonly PictureEntry[], fromMs: number, toMs: number): number[] {
  return pictures
    .map(({ mediaTimeMs }) => mediaTimeMs)
    .filter((timeMs) => timeMs >= fromMs && timeMs <= toMs)
    .sort((a, b) => a - b);
}

function findNearest(sorted: readonly number[], timeMs: number): number {
  let best = sorted[0] ?? timeMs;
  for (const time of sorted) if (Math.abs(time - timeMs) < Math.abs(best - timeMs)) best = time;
  return best;
}
