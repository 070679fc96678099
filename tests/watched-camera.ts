import pino from 'pino';
import { expect } from 'vitest';
import { LatestMailbox } from '../edge/src/camera/frame-mailbox.ts';
import { type CameraTransition, LiveCamera, type LiveCameraOptions } from '../edge/src/camera/live-camera.ts';
import type { Frame } from '../edge/src/frame/frame.ts';

export interface WatchedCamera {
  readonly camera: LiveCamera;
  readonly frames: Frame[];
  readonly transitions: (CameraTransition & { readonly atMs: number })[];
  readonly log: string[];
  readonly stop: () => Promise<void>;
}

/** Runs a live camera of the agent and keeps everything that it delivers. The caller stops it. */
export function watchCamera(
  url: string,
  options: Partial<LiveCameraOptions> & Pick<LiveCameraOptions, 'picture'>,
): WatchedCamera {
  const mailbox = new LatestMailbox<Frame>();
  const frames: Frame[] = [];
  const transitions: WatchedCamera['transitions'] = [];
  const log: string[] = [];
  const camera = new LiveCamera(
    {
      url,
      stallTimeoutMs: 1_000,
      analysis: { maxWidth: 1_920, maxFps: 60 },
      lamps: [],
      mailbox,
      clock: Date.now,
      random: Math.random,
      log: pino({ level: 'trace' }, { write: (line: string) => log.push(line) }),
      ...options,
    },
    { onTransition: (transition) => transitions.push({ ...transition, atMs: Date.now() }) },
  );
  const controller = new AbortController();
  const running = camera.run(controller.signal);
  const reading = (async () => {
    for await (const frame of mailbox) frames.push(frame);
  })();
  const stop = async () => {
    controller.abort();
    await Promise.all([running, reading]);
  };
  return { camera, frames, transitions, log, stop };
}

export const until = (condition: () => boolean, timeout = 15_000): Promise<void> =>
  expect.poll(condition, { timeout, interval: 20 }).toBe(true);
export const lastState = ({ transitions }: WatchedCamera) => transitions.at(-1)?.state;
