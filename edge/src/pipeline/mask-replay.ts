import { NgatuError } from '@ngatu/contract';
import { readPictureSize } from '../camera/picture-size.ts';
import { openVideoSession } from '../camera/video-session.ts';
import type { Frame } from '../frame/frame.ts';
import type { FaceSight } from '../mask/face-sight.ts';
import { type MaskFrame, MaskWatch, type WatchedPerson } from './mask-watch.ts';

export interface MaskReplayOptions {
  readonly video: string;
  readonly sight: FaceSight;
  readonly maxWidth: number;
  readonly maxFps: number;
  readonly onFrame?: (frame: Frame, found: MaskFrame) => void;
}

/**
 * Runs the watch for masks on a file as fast as it goes, with the media clock as the clock.
 * @returns everybody who was counted, in the order of counting
 * @throws NgatuError VIDEO_UNREADABLE, MODEL_INVALID
 */
export async function replayMasks(options: MaskReplayOptions, signal: AbortSignal): Promise<WatchedPerson[]> {
  const { video, sight, maxWidth, maxFps } = options;
  const session = openVideoSession(
    {
      session: 'replay',
      input: { kind: 'file', path: video, startMs: 0 },
      picture: await readPictureSize(video, signal),
      analysis: { maxWidth, maxFps },
      lamps: [],
      clock: () => 0,
    },
    signal,
  );
  const watch = new MaskWatch({ sight });
  const counted: WatchedPerson[] = [];
  try {
    for await (const frame of session.frames) {
      const found = await watch.process(frame);
      counted.push(...found.counted);
      options.onFrame?.(frame, found);
    }
  } finally {
    await session.stop();
  }
  const end = await session.ended;
  if (end.reason === 'failed') throw end.error;
  if (signal.aborted) throw new NgatuError('VIDEO_UNREADABLE', `Cannot finish ${video}: stopped`);
  return [...counted, ...watch.finish()];
}
