import type { Readable } from 'node:stream';
import { type FrameTiming, TimingLines } from './timing-lines.ts';

/**
 * ffmpeg prints a line before it writes the picture, and the pipe of the pictures bounds how far it is ahead: more lines
 * than this without a picture mean that the two no longer belong together.
 */
const MAX_WAITING = 1_000;

/** The presentation times of the analysed frames in the order of the raw pictures. */
export class TimingQueue {
  readonly #lines = new TimingLines();
  readonly #waiting: FrameTiming[] = [];
  #failure: Error | undefined;
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(stream: Readable) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => this.#push(text));
    stream.once('close', () => {
      this.#ended = true;
      this.#wake?.();
    });
    stream.once('error', (error) => this.#fail(error));
  }

  get sourceFrames(): number {
    return this.#lines.sourceFrames;
  }

  /** Lines whose picture has not come. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * The time of the next raw picture; waits for its line.
   * @throws Error where the lines ended before the pictures, or make no sense
   */
  async take(): Promise<FrameTiming> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const timing = this.#waiting.shift();
      if (timing !== undefined) return timing;
      if (this.#ended) throw new Error('a picture came without its presentation time');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #push(text: string): void {
    if (this.#failure !== undefined) return;
    try {
      this.#waiting.push(...this.#lines.push(text));
      if (this.#waiting.length > MAX_WAITING)
        throw new Error(`${MAX_WAITING} presentation times came without a picture`);
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    this.#wake?.();
  }

  #fail(error: Error): void {
    this.#failure = error;
    this.#wake?.();
  }
}
