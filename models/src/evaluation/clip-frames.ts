import { type Detection, type Detector, type Frame, runReplay } from '@ngatu/edge';
import { bareScene } from './bare-scene.ts';

export interface ClipFramesOptions {
  readonly video: string;
  /** Width and height, px. */
  readonly size: readonly [number, number];
  readonly detector: Detector;
  /** The detector looks at pictures of this width at most, px. */
  readonly maxWidth: number;
  /** By its number in decode order, from 0. */
  readonly isWanted: (frameIndex: number) => boolean;
  /** The buffer of the picture is used again. */
  readonly onFrame: (frame: Frame, detections: readonly Detection[]) => void;
}

/** No frame is left out because of the rate. */
const MAX_FPS = 60;

/**
 * Runs the detector on some frames of a clip, in order, as the product decodes them.
 * @throws NgatuError VIDEO_UNREADABLE, TRUTH_INVALID where the video is of another size, MODEL_INVALID
 */
export async function detectClipFrames(
  { video, size, detector, maxWidth, isWanted, onFrame }: ClipFramesOptions,
  signal: AbortSignal,
): Promise<void> {
  const scene = bareScene(size, `the size of ${video}`, { maxWidth, maxFps: MAX_FPS });
  const sparing: Detector = {
    model: detector.model,
    detect: async (frame) => (isWanted(frame.index) ? detector.detect(frame) : []),
    close: async () => undefined,
  };
  await runReplay(
    {
      ...{ video, scene, sceneSha256: '0'.repeat(64), detector: sparing, startMs: 0 },
      ...{ site: 'evaluation', node: 'evaluation' },
      onFrame: ({ detections }, frame) => {
        if (isWanted(frame.index)) onFrame(frame, detections);
      },
    },
    signal,
  );
}
