import type { Readable } from 'node:stream';

/** A segment that is written to its end. */
export interface ClosedSegment {
  /** File name within the session's folder. */
  readonly name: string;
  /** Presentation time of the first picture within the session, ms. */
  readonly startMs: number;
  /** End of the last picture within the session, ms. */
  readonly endMs: number;
}

/**
 * Reads the segmenter's list (`000001.mkv,2.880000,4.360000`) to its end.
 * Lines of another form are passed over: the file they name is found by its index when the ring is opened next.
 */
export async function readSegmentList(
  stream: Readable,
  onSegment: (segment: ClosedSegment) => void,
): Promise<void> {
  let rest = '';
  stream.setEncoding('utf8');
  for await (const text of stream) {
    const lines = (rest + String(text)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const match = /^(\d+\.mkv),(-?\d{1,15}(?:\.\d+)?),(-?\d{1,15}(?:\.\d+)?)\r?$/.exec(line);
      if (match?.[1] === undefined) continue;
      onSegment({ name: match[1], startMs: secondsToMs(match[2]), endMs: secondsToMs(match[3]) });
    }
  }
}

/** The list has whole microseconds. */
function secondsToMs(text: string | undefined): number {
  return Math.round(Number(text) * 1e6) / 1e3;
}
