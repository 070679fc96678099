import { NgatuError } from '@ngatu/contract';
import type { Frame } from '../frame/frame.ts';
import { buildFfmpegArguments } from './ffmpeg-arguments.ts';
import { type ChildExit, type FfmpegChild, startFfmpeg } from './ffmpeg-child.ts';
import { LatestMailbox } from './frame-mailbox.ts';
import {
  BYTES_PER_PIXEL,
  computePictureLayout,
  type LampRegion,
  type PictureLayout,
  splitRawPicture,
} from './picture-layout.ts';
import { readRawPictures } from './raw-picture-stream.ts';
import { type ClosedSegment, readSegmentList } from './segment-list.ts';
import { describeInput, explainEnd } from './session-failure.ts';
import { type ClockAnchor, StreamClock } from './stream-clock.ts';
import { TimingQueue } from './timing-queue.ts';
import type { RingTarget, RtspInput, VideoInput } from './video-source.ts';

export interface VideoSessionOptions {
  /** Name of this opening; goes into every frame. */
  readonly session: string;
  readonly input: VideoInput;
  /** Size of the source picture that the scene is drawn for, px. Another size ends the session. */
  readonly picture: { readonly width: number; readonly height: number };
  readonly analysis: {
    /** The picture is scaled down to this width where it is wider, px. */
    readonly maxWidth: number;
    /** At most this many frames a second are delivered; the others are skipped, not resampled. */
    readonly maxFps: number;
  };
  readonly lamps: readonly LampRegion[];
  readonly ring?: RingTarget & { readonly onSegment: (segment: ClosedSegment) => void };
  /** Called when the relation of media time to the clock is known for good; at once for a file. */
  readonly onAnchor?: (anchor: ClockAnchor) => void;
  /** The node's clock, ms since 1970. */
  readonly clock: () => number;
}

/**
 * Why a session ended: the file was read to its end; `stop` or the signal; the stream and the node's clock have run apart
 * and must be tied anew; or `error`.
 */
export type SessionEnd =
  | { readonly reason: 'end-of-file' | 'stopped' | 'clock-moved' }
  | { readonly reason: 'failed'; readonly error: NgatuError };

export interface VideoSession {
  /**
   * The analysed frames, for one consumer. File: every frame, as fast as they are taken. Camera: the latest one; what was
   * not taken in time is dropped and counted. Ends with the session; throws its error where it failed.
   */
  readonly frames: AsyncIterable<Frame>;
  /** Frames that were decoded, also those that were skipped or dropped. */
  readonly sourceFramesDecoded: number;
  /** Frames that were ready for analysis and that nobody took in time; 0 for a file. */
  readonly framesDropped: number;
  /** Never rejects. */
  readonly ended: Promise<SessionEnd>;
  /** Ends ffmpeg, closes the last segment where ffmpeg still answers, and waits for both. */
  stop(): Promise<void>;
}

/** Within this time a camera must have sent something that can be decoded: long groups of pictures begin late, ms. */
const FIRST_PICTURE_TIMEOUT_MS = 15_000;

/**
 * Opens a file or a camera: one ffmpeg child that delivers raw pictures with their true presentation times and, with
 * `ring`, copies the untouched packets into segments.
 * @param signal ends the session as `stop` does
 * @throws NgatuError SCENE_INVALID where a lamp lies outside the picture. Everything else ends the session: VIDEO_UNREADABLE,
 *   CAMERA_UNREACHABLE, CAMERA_UNAUTHORIZED, CAMERA_STALLED, SETUP_PACKAGE_MISSING
 */
export function openVideoSession(options: VideoSessionOptions, signal: AbortSignal): VideoSession {
  const layout = computePictureLayout({
    picture: options.picture,
    maxWidth: options.analysis.maxWidth,
    lamps: options.lamps,
  });
  const { input, ring } = options;
  const plan = { input, layout, maxFps: options.analysis.maxFps, ...(ring === undefined ? {} : { ring }) };
  const secrets = input.kind === 'rtsp' && input.password !== undefined ? [input.password] : [];
  const child = startFfmpeg(buildFfmpegArguments(plan), secrets);
  const session = new RunningSession(options, layout, child);
  const stop = () => void session.stop();
  signal.addEventListener('abort', stop, { once: true });
  void session.ended.then(() => signal.removeEventListener('abort', stop));
  if (signal.aborted) stop();
  return session;
}

class RunningSession implements VideoSession {
  readonly frames: AsyncIterable<Frame>;
  readonly ended: Promise<SessionEnd>;
  readonly #options: VideoSessionOptions;
  readonly #layout: PictureLayout;
  readonly #child: FfmpegChild;
  readonly #timing: TimingQueue;
  readonly #clock = new StreamClock();
  readonly #mailbox = new LatestMailbox<Frame>();
  /** The first thing that decided the end; what ffmpeg says afterwards is a consequence. */
  #verdict: SessionEnd | undefined;
  #stall: NodeJS.Timeout | undefined;

  constructor(options: VideoSessionOptions, layout: PictureLayout, child: FfmpegChild) {
    this.#options = options;
    this.#layout = layout;
    this.#child = child;
    this.#timing = new TimingQueue(child.timing);
    const { input } = options;
    const segments = readSegmentList(child.segments, (segment) => options.ring?.onSegment(segment));
    this.ended = this.#conclude(segments);
    if (input.kind === 'file') {
      options.onAnchor?.({ anchorMs: input.startMs, errorMs: 0 });
      this.frames = this.#readFile(input.startMs);
    } else {
      this.frames = this.#mailbox;
      this.#expectPicture(input, Math.max(FIRST_PICTURE_TIMEOUT_MS, input.stallTimeoutMs));
      void this.#pump(input);
    }
  }

  get sourceFramesDecoded(): number {
    return this.#timing.sourceFrames;
  }

  get framesDropped(): number {
    return this.#mailbox.dropped;
  }

  async stop(): Promise<void> {
    this.#end({ reason: 'stopped' });
    await this.ended;
  }

  /** The first verdict counts. Whatever the pipes still hold is discarded so that ffmpeg is not kept from ending. */
  #end(verdict: SessionEnd): void {
    if (this.#verdict !== undefined) return;
    this.#verdict = verdict;
    clearTimeout(this.#stall);
    if (this.#options.input.kind === 'file') this.#child.pictures.destroy();
    void this.#child.stop();
  }

  async #conclude(segments: Promise<void>): Promise<SessionEnd> {
    const end = await this.#child.exited.then(
      (exit) => this.#judge(exit),
      (error: unknown): SessionEnd => ({ reason: 'failed', error: toNgatuError(error) }),
    );
    const listed = await segments.then(() => undefined, toNgatuError);
    clearTimeout(this.#stall);
    this.#verdict ??= listed === undefined ? end : { reason: 'failed', error: listed };
    this.#mailbox.close(this.#verdict.reason === 'failed' ? this.#verdict.error : undefined);
    return this.#verdict;
  }

  #judge(exit: ChildExit): SessionEnd {
    const { input, picture } = this.#options;
    const error = explainEnd(input, picture, {
      exit,
      messages: this.#child.messages(),
      framesDecoded: this.sourceFramesDecoded,
    });
    return error === undefined ? { reason: 'end-of-file' } : { reason: 'failed', error };
  }

  /** Pulls: ffmpeg waits while the consumer is busy, so that nothing is dropped. */
  async *#readFile(startMs: number): AsyncGenerator<Frame> {
    try {
      for await (const frame of this.#decode()) {
        yield { ...frame, capturedAtMs: startMs + frame.mediaTimeMs, clockErrorMs: 0 };
        if (this.#verdict !== undefined) break;
      }
    } catch (error) {
      this.#end({ reason: 'failed', error: toNgatuError(error, this.#options.input) });
    } finally {
      if (!this.#child.pictures.readableEnded) this.#end({ reason: 'stopped' });
    }
    const end = await this.ended;
    if (end.reason === 'failed') throw end.error;
  }

  /** Always reads, as a camera does not wait. */
  async #pump(input: RtspInput): Promise<void> {
    try {
      for await (const frame of this.#decode()) {
        if (this.#verdict !== undefined) continue;
        this.#expectPicture(input, input.stallTimeoutMs);
        this.#mailbox.put({ ...frame, ...this.#stamp(frame.mediaTimeMs) });
      }
    } catch (error) {
      this.#end({ reason: 'failed', error: toNgatuError(error, input) });
    }
  }

  #stamp(mediaTimeMs: number): { capturedAtMs: number; clockErrorMs: number } {
    const wasFrozen = this.#clock.isFrozen;
    this.#clock.observe(mediaTimeMs, this.#options.clock());
    const { anchor } = this.#clock;
    if (this.#clock.isFrozen && !wasFrozen) this.#options.onAnchor?.(anchor);
    if (this.#clock.hasMoved) this.#end({ reason: 'clock-moved' });
    return { capturedAtMs: anchor.anchorMs + mediaTimeMs, clockErrorMs: anchor.errorMs };
  }

  #expectPicture(input: RtspInput, withinMs: number): void {
    clearTimeout(this.#stall);
    this.#stall = setTimeout(() => {
      const message = `Cannot read ${describeInput(input)}: no picture for ${withinMs} ms`;
      this.#end({ reason: 'failed', error: new NgatuError('CAMERA_STALLED', message, { retryable: true }) });
    }, withinMs);
  }

  async *#decode(): AsyncGenerator<Omit<Frame, 'capturedAtMs' | 'clockErrorMs'>> {
    const { width, height, rawHeight, source } = this.#layout;
    let lastMs = Number.NEGATIVE_INFINITY;
    for await (const raw of readRawPictures(this.#child.pictures, width * rawHeight * BYTES_PER_PIXEL)) {
      const { index, mediaTimeMs } = await this.#timing.take();
      if (!(mediaTimeMs > lastMs))
        throw new Error(`picture ${index} at ${mediaTimeMs} ms follows one at ${lastMs} ms`);
      lastMs = mediaTimeMs;
      yield {
        session: this.#options.session,
        index,
        mediaTimeMs,
        width,
        height,
        sourceWidth: source.width,
        sourceHeight: source.height,
        ...splitRawPicture(this.#layout, raw),
      };
    }
  }
}

function toNgatuError(error: unknown, input?: VideoInput): NgatuError {
  if (error instanceof NgatuError) return error;
  const what = input === undefined ? 'the video' : describeInput(input);
  const why = error instanceof Error ? error.message : String(error);
  return new NgatuError('VIDEO_UNREADABLE', `Cannot read ${what}: ${why}`, {
    retryable: input?.kind === 'rtsp',
    cause: error,
  });
}
