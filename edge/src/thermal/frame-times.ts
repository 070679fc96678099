import type { Readable } from 'node:stream';

/** Presentation times as ffmpeg's `metadata=print` writes them, `frame:0    pts:0       pts_time:0`, in the order of the frames. */
export class FrameTimes {
  readonly #times: number[] = [];
  #rest = '';
  #isEnded = false;
  #wake: (() => void) | undefined;

  constructor(stream: Readable) {
    stream.on('data', (text: string) => this.#push(text));
    stream.once('close', () => {
      this.#isEnded = true;
      this.#wake?.();
    });
  }

  /** The time of the next frame, in the filter's time base; waits for its line, as pipes keep no common order. */
  async take(): Promise<number | undefined> {
    while (this.#times.length === 0 && !this.#isEnded)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    return this.#times.shift();
  }

  #push(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const [, pts] = /^frame:\d+\s+pts:(-?\d+)\s/.exec(line) ?? [];
      if (pts !== undefined) this.#times.push(Number(pts));
    }
    this.#wake?.();
  }
}
