import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { errorMessage, NgatuError } from '@ngatu/contract';
import { computeShareInside } from '@ngatu/edge';
import { type Static, Type } from '@sinclair/typebox';
import { readAnnotationFile, refuseAnnotation } from './annotation-file.ts';
import type { MotBox, MotRow } from './mot-text.ts';

const Frame = Type.Integer({ minimum: 0, description: 'Source frame in decode order, from 0.' });
const FrameRange = Type.Tuple([Frame, Frame]);
const Pixel = Type.Number();
const Keyframe = Type.Tuple([Frame, Pixel, Pixel, Pixel, Pixel], {
  description:
    'Frame, then the box as x1, y1, x2, y2 in source pixels; straight motion to the next keyframe.',
});
const Label = Type.Union(
  (['person', 'bicycle', 'motorbike', 'car', 'bus', 'truck'] as const).map((label) => Type.Literal(label)),
);

/** Road users of one clip as a person saw them: `NAME.tracks.json`. */
export const TrackAnnotation = Type.Object({
  schemaVersion: Type.Literal(1),
  video: Type.String({ minLength: 1, description: 'File name of the clip.' }),
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$', description: 'Of the clip.' }),
  asset: Type.Optional(Type.String({ description: 'Name in the asset manifest.' })),
  size: Type.Tuple([Type.Integer({ minimum: 1 }), Type.Integer({ minimum: 1 })]),
  frames: FrameRange,
  madeBy: Type.String({ description: 'How the boxes were made.' }),
  ignored: Type.Array(Type.Object({ box: Type.Tuple([Pixel, Pixel, Pixel, Pixel]), why: Type.String() }), {
    description: 'Places in which nothing is counted.',
  }),
  tracks: Type.Array(
    Type.Object({
      id: Type.Integer({ minimum: 1 }),
      label: Label,
      keyframes: Type.Array(Keyframe, { minItems: 1 }),
      hidden: Type.Optional(
        Type.Array(FrameRange, { description: 'Frames in which it is covered: not counted.' }),
      ),
      note: Type.Optional(Type.String()),
    }),
    { minItems: 1 },
  ),
});
export type TrackAnnotation = Static<typeof TrackAnnotation>;
type AnnotatedTrack = TrackAnnotation['tracks'][number];

const SUFFIX = '.tracks.json';
/** More than this share of a box in places that are not counted takes it out. */
const MAX_IGNORED_SHARE = 0.5;

/** Names of the annotated clips in a folder, sorted; none where there is no `*.tracks.json`. */
export async function listTrackAnnotations(dir: string): Promise<string[]> {
  try {
    return (await readdir(dir))
      .filter((file) => file.endsWith(SUFFIX))
      .map((file) => basename(file, SUFFIX))
      .sort();
  } catch (cause) {
    throw new NgatuError('FILE_UNREADABLE', `Cannot read folder ${dir}: ${errorMessage(cause)}`, { cause });
  }
}

/** @throws NgatuError FILE_UNREADABLE, TRUTH_INVALID */
export async function loadTrackAnnotation(dir: string, name: string): Promise<TrackAnnotation> {
  const file = join(dir, `${name}${SUFFIX}`);
  const annotation = await readAnnotationFile(file, TrackAnnotation);
  const complaint = findComplaint(annotation);
  if (complaint !== undefined) throw refuseAnnotation(file, complaint);
  return annotation;
}

function findComplaint({ tracks, frames }: TrackAnnotation): string | undefined {
  const ids = new Set<number>();
  for (const { id, keyframes } of tracks) {
    if (ids.has(id)) return `track ${id} stands there twice`;
    ids.add(id);
    let last = -1;
    for (const [frame, x1, y1, x2, y2] of keyframes) {
      if (frame <= last) return `the keyframes of track ${id} are not in rising order at frame ${frame}`;
      if (frame < frames[0] || frame > frames[1])
        return `track ${id} has a keyframe at ${frame}, outside the frames`;
      if (x2 <= x1 || y2 <= y1) return `the box of track ${id} at frame ${frame} is empty`;
      last = frame;
    }
  }
  return undefined;
}

/** A row says `isHidden` where the road user is covered. Frames of the rows count from 1, as in MOTChallenge. */
export interface AnnotatedRow extends MotRow {
  readonly id: number;
  readonly label: AnnotatedTrack['label'];
  readonly isHidden: boolean;
}

/** The boxes at the given source frames. */
export function expandAnnotation(
  { tracks, size }: TrackAnnotation,
  sourceFrames: readonly number[],
): AnnotatedRow[] {
  return sourceFrames.flatMap((frame) =>
    tracks.flatMap((track): AnnotatedRow[] => {
      const box = interpolateBox(track, frame);
      if (box === undefined) return [];
      const isHidden = track.hidden?.some(([from, to]) => frame >= from && frame <= to) ?? false;
      return [
        { frame: frame + 1, id: track.id, label: track.label, box: clip(box, size), confidence: 1, isHidden },
      ];
    }),
  );
}

/** Lies mostly in a place in which nothing is counted. */
export function isIgnored({ ignored }: Pick<TrackAnnotation, 'ignored'>, box: MotBox): boolean {
  return ignored.some((place) => computeShareInside(box, place.box) > MAX_IGNORED_SHARE);
}

function interpolateBox({ keyframes }: AnnotatedTrack, frame: number): MotBox | undefined {
  for (let i = 0; i < keyframes.length; i++) {
    const [from, to] = [keyframes[i], keyframes[i + 1] ?? keyframes[i]];
    if (from === undefined || to === undefined || frame < from[0] || frame > to[0]) continue;
    const share = to[0] === from[0] ? 0 : (frame - from[0]) / (to[0] - from[0]);
    const at = (a: number, b: number): number => a + share * (b - a);
    return [at(from[1], to[1]), at(from[2], to[2]), at(from[3], to[3]), at(from[4], to[4])];
  }
  return undefined;
}

function clip([x1, y1, x2, y2]: MotBox, [width, height]: readonly [number, number]): MotBox {
  return [Math.max(0, x1), Math.max(0, y1), Math.min(width, x2), Math.min(height, y2)];
}
