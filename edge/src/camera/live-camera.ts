import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ErrorCode, NgatuError } from '@ngatu/contract';
import type { Logger } from 'pino';
import type { Frame } from '../frame/frame.ts';
import type { LatestMailbox } from './frame-mailbox.ts';
import type { LampRegion } from './picture-layout.ts';
import { computeReconnectDelay } from './reconnect-delay.ts';
import type { ClosedSegment } from './segment-list.ts';
import type { ClockAnchor } from './stream-clock.ts';
import { openVideoSession, type SessionEnd, type VideoSession } from './video-session.ts';

/** What a live camera needs of the ring that keeps its compressed stream. */
export interface SessionRing {
  /** Makes the folder of a session's segments. */
  openSession(session: string): Promise<{ readonly dir: string; readonly segmentMs: number }>;
  anchorSession(session: string, anchor: ClockAnchor): void;
  addSegment(session: string, segment: ClosedSegment): void;
  /** No more segments come. */
  closeSession(session: string): void;
}

export interface LiveCameraOptions {
  /** RTSP address without user name and password. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** No decoded picture for this long is a stall, ms. */
  readonly stallTimeoutMs: number;
  readonly picture: { readonly width: number; readonly height: number };
  readonly analysis: { readonly maxWidth: number; readonly maxFps: number };
  readonly lamps: readonly LampRegion[];
  readonly ring?: SessionRing;
  /** Where the latest frame is put; closed when the camera is stopped. */
  readonly mailbox: LatestMailbox<Frame>;
  /** The node's clock, ms since 1970. */
  readonly clock: () => number;
  /** 0–1, for jitter. */
  readonly random: () => number;
  readonly log: Logger;
}

/**
 * `connecting` before the first picture and while the stream is tied to the clock anew; `streaming` from the first picture
 * of a session; `down` with the reason until the next picture, through all attempts.
 */
export interface CameraTransition {
  readonly state: 'connecting' | 'streaming' | 'down';
  /** Why it is down. */
  readonly code?: ErrorCode;
  /** What can be told to an operator; without credentials. */
  readonly message?: string;
  /** Since when, on the node's clock, ms since 1970: `down` counts from the last picture, not from its discovery. */
  readonly sinceMs: number;
}

export interface LiveCameraHandlers {
  /** Called when the state or its code changes. Must not throw. */
  readonly onTransition: (transition: CameraTransition) => void;
}

/** What a camera has delivered since it was started, over all sessions. */
export interface CameraCounters {
  sessionsOpened: number;
  framesDecoded: number;
  /** Ready for analysis, and replaced by a newer one before anybody took it. */
  framesDropped: number;
}

/** After a full disk the camera is watched without ring for this long, also where the clock is set meanwhile, ms. */
const RING_PAUSE_MS = 60_000;

/** One camera, kept open: reconnects until it is stopped. */
export class LiveCamera {
  readonly #options: LiveCameraOptions;
  readonly #handlers: LiveCameraHandlers;
  #state: CameraTransition | undefined;
  #session: VideoSession | undefined;
  #past = { sessionsOpened: 0, framesDecoded: 0, framesDropped: 0 };
  #failures = 0;
  #lastPictureMs: number | undefined;
  /** On the monotonic clock, ms. */
  #ringPausedUntilMs = 0;

  constructor(options: LiveCameraOptions, handlers: LiveCameraHandlers) {
    this.#options = options;
    this.#handlers = handlers;
  }

  get counters(): CameraCounters {
    const current = this.#session;
    return {
      sessionsOpened: this.#past.sessionsOpened,
      framesDecoded: this.#past.framesDecoded + (current?.sourceFramesDecoded ?? 0),
      framesDropped: this.#past.framesDropped + (current?.framesDropped ?? 0) + this.#options.mailbox.dropped,
    };
  }

  /**
   * Runs until the signal; then ffmpeg is gone and the mailbox closed. Failures of the camera are transitions, never
   * rejections.
   * @throws NgatuError SCENE_INVALID where a lamp lies outside the picture
   */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, mailbox } = this.#options;
    this.#transit({ state: 'connecting', sinceMs: clock() });
    try {
      while (!signal.aborted) {
        const startedAt = performance.now();
        const end = await this.#runSession(signal);
        if (signal.aborted) break;
        if (end.reason !== 'failed') {
          this.#transit({ state: 'connecting', sinceMs: this.#lastPictureMs ?? clock() });
          continue;
        }
        const { code, message } = end.error;
        this.#transit({ state: 'down', code, message, sinceMs: this.#lastPictureMs ?? clock() });
        if (code === 'DISK_FULL') this.#ringPausedUntilMs = performance.now() + RING_PAUSE_MS;
        const attemptMs = performance.now() - startedAt;
        const delayMs = computeReconnectDelay({
          code,
          failures: this.#failures,
          attemptMs,
          random: random(),
        });
        await sleep(delayMs, undefined, { signal }).catch(() => undefined);
      }
    } finally {
      mailbox.close();
    }
  }

  async #runSession(signal: AbortSignal): Promise<SessionEnd> {
    const { options, name } = { options: this.#options, name: nameSession(this.#options.clock()) };
    const { ring, mailbox, log } = options;
    let session: VideoSession;
    let target: Awaited<ReturnType<SessionRing['openSession']>> | undefined;
    try {
      target = this.#ringPausedUntilMs > performance.now() ? undefined : await ring?.openSession(name);
    } catch (error) {
      log.error({ err: error }, 'cannot open the ring; watching without evidence');
      this.#ringPausedUntilMs = performance.now() + RING_PAUSE_MS;
    }
    try {
      session = openVideoSession(this.#describeSession(name, target), signal);
    } catch (error) {
      ring?.closeSession(name);
      throw error;
    }
    this.#session = session;
    this.#past.sessionsOpened++;
    this.#failures++;
    try {
      for await (const frame of session.frames) {
        this.#failures = 1;
        this.#lastPictureMs = frame.capturedAtMs;
        this.#transit({ state: 'streaming', sinceMs: frame.capturedAtMs });
        mailbox.put(frame);
      }
    } catch (error) {
      log.debug(
        { session: name, code: error instanceof NgatuError ? error.code : undefined },
        'session failed',
      );
    }
    const end = await session.ended;
    this.#past.framesDecoded += session.sourceFramesDecoded;
    this.#past.framesDropped += session.framesDropped;
    this.#session = undefined;
    if (target !== undefined) ring?.closeSession(name);
    return end;
  }

  #describeSession(session: string, target: { dir: string; segmentMs: number } | undefined) {
    const { url, username, password, stallTimeoutMs, picture, analysis, lamps, ring, clock } = this.#options;
    return {
      session,
      input: {
        kind: 'rtsp' as const,
        url,
        stallTimeoutMs,
        ...(username === undefined ? {} : { username }),
        ...(password === undefined ? {} : { password }),
      },
      picture,
      analysis,
      lamps,
      clock,
      ...(target === undefined || ring === undefined
        ? {}
        : {
            ring: { ...target, onSegment: (segment: ClosedSegment) => ring.addSegment(session, segment) },
            onAnchor: (anchor: ClockAnchor) => ring.anchorSession(session, anchor),
          }),
    };
  }

  #transit(next: CameraTransition): void {
    if (this.#state?.state === next.state && this.#state.code === next.code) return;
    this.#state = next;
    const { state, code, message } = next;
    this.#options.log.info({ state, code }, message ?? `camera ${state}`);
    this.#handlers.onTransition(next);
  }
}

/** Sorts by time and is not met again after a restart or a step of the clock. */
function nameSession(nowMs: number): string {
  const stamp = new Date(nowMs).toISOString().replaceAll(/[-:.]/g, '').toLowerCase();
  return `${stamp}-${randomBytes(3).toString('hex')}`;
}
