import { isTwoWheeler } from '@ngatu/contract';
import type { Detector } from '@ngatu/edge';
import { decodePictures, type Picture } from '@ngatu/simulators';
import type { AssetStore } from '../asset-store.ts';
import { findAnnotatedVideo } from './clip-tracking.ts';
import {
  ANALYSIS_WIDTH_PX,
  type Box,
  detectPicture,
  type LabelledPicture,
  type TruthBox,
} from './scene-campaign-noise-data.ts';
import {
  type AnnotatedRow,
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

/** So many pictures of a clip are looked at, in even steps. */
const PICTURES_A_CLIP = 160;

/**
 * Runs the detector on pictures of each annotated clip in which people walk.
 * @throws NgatuError FILE_UNREADABLE, TRUTH_INVALID, ASSET_UNAVAILABLE, ASSET_DIGEST_MISMATCH, VIDEO_UNREADABLE
 */
export async function* detectAnnotatedClips(
  clips: AnnotatedClips,
  detector: Detector,
  signal: AbortSignal,
): AsyncGenerator<{ readonly clip: string; readonly pictures: AsyncGenerator<LabelledPicture> }> {
  for (const clip of await listTrackAnnotations(clips.dataDir)) {
    const annotation = await loadTrackAnnotation(clips.dataDir, clip);
    if (!annotation.tracks.some(({ label }) => label === 'person')) continue;
    const video = await findAnnotatedVideo(annotation, clips, signal);
    yield { clip, pictures: detectClip({ clip, annotation, video, detector }, signal) };
  }
}

async function* detectClip(
  {
    clip,
    annotation,
    video,
    detector,
  }: { clip: string; annotation: TrackAnnotation; video: string; detector: Detector },
  signal: AbortSignal,
): AsyncGenerator<LabelledPicture> {
  const [first, last] = annotation.frames;
  const step = Math.max(1, Math.ceil((last - first + 1) / PICTURES_A_CLIP));
  let index = -1;
  for await (const picture of decodePictures(video, { maxWidth: ANALYSIS_WIDTH_PX }, signal)) {
    index += 1;
    if (index > last) break;
    if (index < first || (index - first) % step !== 0) continue;
    yield comparePicture(`${clip} ${index}`, picture, {
      annotation,
      rows: expandAnnotation(annotation, [index]),
      findings: await detectPicture(picture, detector),
    });
  }
}

/** Who is covered counts neither way; what lies in a place that was not annotated is not looked at. */
function comparePicture(
  name: string,
  { width, height }: Picture,
  {
    annotation,
    rows,
    findings,
  }: {
    annotation: TrackAnnotation;
    rows: readonly AnnotatedRow[];
    findings: LabelledPicture['findings'];
  },
): LabelledPicture {
  const [x, y] = [width / annotation.size[0], height / annotation.size[1]];
  const place = ([x1, y1, x2, y2]: Box): Box => [x1 * x, y1 * y, x2 * x, y2 * y];
  const counted = rows.filter(({ box }) => !isIgnored(annotation, box));
  return {
    name,
    width,
    height,
    truth: counted
      .filter(({ isHidden }) => !isHidden)
      .map(({ label, box }): TruthBox => ({ label: isTwoWheeler(label) ? 'both' : label, box: place(box) })),
    findings: findings.filter(
      ({ box: [x1, y1, x2, y2] }) => !isIgnored(annotation, [x1 / x, y1 / y, x2 / x, y2 / y]),
    ),
    leftOut: counted.filter(({ isHidden }) => isHidden).map(({ box }) => place(box)),
  };
}
