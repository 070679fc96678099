import { ANALYSED_KEY, SOURCE_KEY } from './ffmpeg-arguments.ts';

/** When one analysed frame is to be presented. */
export interface FrameTiming {
  /** Source frame number in decode order from 0, also counting frames that were skipped. */
  readonly index: number;
  /** Presentation time within the session, ms. */
  readonly mediaTimeMs: number;
}

const MAX_LINE_LENGTH = 200;

/**
 * Reads what the two `metadata=print` filters write:
 * ```
 * frame:12   pts:480000  pts_time:0.48
 * s=1
 * ```
 * The `frame:` number begins anew when ffmpeg rebuilds its graph, so the frames are counted here.
 */
export class TimingLines {
  /** Frames that were decoded so far, analysed or not. */
  sourceFrames = 0;
  #rest = '';
  #pts: number | undefined;

  /**
   * Takes the next bytes and returns the frames that they complete.
   * @throws Error on a line of another form, or a frame without presentation time
   */
  push(text: string): FrameTiming[] {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > MAX_LINE_LENGTH)
      throw new Error(`timing line without end: "${this.#rest.slice(0, 80)}…"`);
    const timings: FrameTiming[] = [];
    for (const line of lines) {
      const timing = this.#take(line);
      if (timing !== undefined) timings.push(timing);
    }
    return timings;
  }

  #take(line: string): FrameTiming | undefined {
    if (line.startsWith('frame:')) {
      const pts = /\spts:(-?\d+)\s/.exec(line);
      if (pts === null) throw new Error(`frame without presentation time: "${line}"`);
      this.#pts = Number(pts[1]);
      return undefined;
    }
    if (this.#pts === undefined) throw new Error(`timing line without frame: "${line}"`);
    if (line === `${SOURCE_KEY}=1`) {
      this.sourceFrames++;
      return undefined;
    }
    if (line !== `${ANALYSED_KEY}=1`) throw new Error(`unknown timing line: "${line}"`);
    return { index: this.sourceFrames - 1, mediaTimeMs: this.#pts / 1000 };
  }
}
