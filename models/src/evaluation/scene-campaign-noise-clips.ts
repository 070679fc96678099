import { isTwoWheeler } from '@ngatu/contract';
import type { Detection, Detector, Frame } from '@ngatu/edge';
import type { AssetStore } from '../asset-store.ts';
import { detectClipFrames } from './clip-frames.ts';
import { findAnnotatedVideo } from './clip-tracking.ts';
import { ANALYSIS_WIDTH_PX, type Box, type LabelledPicture } from './scene-campaign-noise-data.ts';
import {
  expandAnnotation,
  isIgnored,
  listTrackAnnotations,
  loadTrackAnnotation,
  type TrackAnnotation,
} from './track-annotation.ts';

/** Clips in which somebody drew every road user: the only truth of people on foot. */
export interface AnnotatedClips {
  /** Folder of `*.tracks.json`. */
  readonly dataDir: string;
  /** Where the clips are looked for that are not beside their annotations. */
  readonly assets: AssetStore;
}

/** At most so many pictures of a clip are looked at, in even steps. */
const MAX_PICTURES = 800;

export interface AnnotatedClip {
  readonly name: string;
  /** Pictures a second that were looked at. */
  readonly fps: number;
  readonly pictures: readonly LabelledPicture[];
}

/**
 * Runs the detector on each annotated clip in which people walk.
 * @throws NgatuError FILE_UNREADABLE, TRUTH_INVALID, ASSET_UNAVAILABLE, ASSET_DIGEST_MISMATCH, VIDEO_UNREADABLE, MODEL_INVALID
 */
export async function* detectAnnotatedClips(
  clips: AnnotatedClips,
  detector: Detector,
  signal: AbortSignal,
): AsyncGenerator<AnnotatedClip> {
  for (const name of await listTrackAnnotations(clips.dataDir)) {
    const annotation = await loadTrackAnnotation(clips.dataDir, name);
    if (!annotation.tracks.some(({ label }) => label === 'person')) continue;
    const video = await findAnnotatedVideo(annotation, clips, signal);
    const [first, last] = annotation.frames;
    const step = Math.max(1, Math.ceil((last - first + 1) / MAX_PICTURES));
    const pictures: LabelledPicture[] = [];
    const timesMs: number[] = [];
    await detectClipFrames(
      {
        ...{ video, size: annotation.size, detector, maxWidth: ANALYSIS_WIDTH_PX },
        isWanted: (index) => index >= first && index <= last && (index - first) % step === 0,
        onFrame: (frame, findings) => {
          timesMs.push(frame.mediaTimeMs);
          pictures.push(comparePicture(annotation, `${name} ${frame.index}`, frame, findings));
        },
      },
      signal,
    );
    const spanMs = (timesMs.at(-1) ?? 0) - (timesMs[0] ?? 0);
    yield { name, fps: ((timesMs.length - 1) * 1000) / Math.max(1, spanMs), pictures };
  }
}

/** Who is covered counts neither way; what lies in a place that was not annotated is not looked at. */
function comparePicture(
  annotation: TrackAnnotation,
  name: string,
  { index, width, height }: Frame,
  findings: readonly Detection[],
): LabelledPicture {
  const [x, y] = [width / annotation.size[0], height / annotation.size[1]];
  const place = ([x1, y1, x2, y2]: Box): Box => [x1 * x, y1 * y, x2 * x, y2 * y];
  const counted = expandAnnotation(annotation, [index]).filter(({ box }) => !isIgnored(annotation, box));
  return {
    name,
    width,
    height,
    truth: counted
      .filter(({ isHidden }) => !isHidden)
      .map(({ id, label, box }) => ({
        trackId: id,
        label: isTwoWheeler(label) ? 'both' : label,
        box: place(box),
      })),
    findings: findings
      .filter(({ box }) => !isIgnored(annotation, box))
      .map((finding) => ({ ...finding, box: place(finding.box) })),
    leftOut: counted.filter(({ isHidden }) => isHidden).map(({ box }) => place(box)),
  };
}
