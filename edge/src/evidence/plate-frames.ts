import type { Box } from '../geometry/box.ts';
import { type BlurSubject, computePlateZone, isSubject, standsBefore } from './blur-zone.ts';
import type { PictureEntry } from './recording.ts';
import type { SeenRoadUser, Sight } from './road-user-sight.ts';
import { findRoadUsers } from './sight-lookup.ts';

/** Which pictures of a recording are worth looking at for the subject's plate. */
export interface PlateFrameQuestion {
  /** Size of the picture, px. */
  readonly width: number;
  readonly height: number;
  readonly pictures: readonly PictureEntry[];
  readonly sights: readonly Sight[];
  readonly subject: BlurSubject;
  /** The decisive moment: there the subject is where the event says, ms of media time. */
  readonly momentMs: number;
  /** Only pictures in between, ms of media time. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly maxFrames: number;
}

/** Pictures that follow one another closely show the same blur and glare, ms. */
const SPACING_MS = 120;
/** Worse ones than this share of the best are not worth their decoding. */
const WORTH = 0.3;
/** A road user whose lower edge lies at the border of the picture has its plate outside of it, px. */
const BORDER_PX = 2;
const CUT_WORTH = 0.4;

interface Candidate {
  readonly mediaTimeMs: number;
  readonly worth: number;
}

/**
 * Chooses the pictures in which the subject's plate can be read best: large, and not hidden by who stands before it; some before the
 * decisive moment and some after it, so that front and rear, glare and shade both have their turn. Rising media times, ms; none where
 * nobody knows where the subject was. Pure.
 */
export function choosePlateFrames(question: PlateFrameQuestion): number[] {
  const { pictures, fromMs, toMs, momentMs, maxFrames } = question;
  const candidates: Candidate[] = [];
  for (const { mediaTimeMs } of pictures) {
    if (mediaTimeMs < fromMs || mediaTimeMs > toMs) continue;
    const worth = computeWorth(question, mediaTimeMs);
    if (worth > 0) candidates.push({ mediaTimeMs, worth });
  }
  candidates.sort((a, b) => b.worth - a.worth || a.mediaTimeMs - b.mediaTimeMs);
  const least = (candidates[0]?.worth ?? 0) * WORTH;
  const worthy = candidates.filter(({ worth }) => worth >= least);
  const chosen: Candidate[] = [];
  const take = (from: readonly Candidate[], upTo: number): void => {
    for (const one of from) {
      if (chosen.length >= upTo) return;
      const isClose = chosen.some(({ mediaTimeMs }) => Math.abs(mediaTimeMs - one.mediaTimeMs) < SPACING_MS);
      if (!isClose) chosen.push(one);
    }
  };
  const half = Math.floor(maxFrames / 2);
  take(
    worthy.filter(({ mediaTimeMs }) => mediaTimeMs < momentMs),
    half,
  );
  take(
    worthy.filter(({ mediaTimeMs }) => mediaTimeMs >= momentMs),
    chosen.length + half,
  );
  take(worthy, maxFrames);
  return chosen.map(({ mediaTimeMs }) => mediaTimeMs).sort((a, b) => a - b);
}

/** Who was in a picture and where the subject was; undefined where nobody knows. */
export function findPlateScene(
  { sights, subject, momentMs }: Pick<PlateFrameQuestion, 'sights' | 'subject' | 'momentMs'>,
  mediaTimeMs: number,
): { readonly users: readonly SeenRoadUser[]; readonly subject: SeenRoadUser } | undefined {
  const users = findRoadUsers(sights, mediaTimeMs);
  if (users === undefined) return undefined;
  if (Math.abs(mediaTimeMs - momentMs) < 1) return { users, subject };
  const { trackId } = subject;
  const seen = trackId === undefined ? undefined : users.find((user) => user.trackId === trackId);
  return seen === undefined ? undefined : { users, subject: { ...seen, label: subject.label } };
}

/** Height of the part of the subject that may show its plate, less what is hidden or cut off, px. */
function computeWorth(question: PlateFrameQuestion, mediaTimeMs: number): number {
  const scene = findPlateScene(question, mediaTimeMs);
  if (scene === undefined) return 0;
  const { subject, users } = scene;
  const zone = computePlateZone(subject);
  let hidden = 0;
  for (const other of users) {
    if (isSubject(other, subject) || !standsBefore(other.box, subject.box)) continue;
    hidden = Math.max(hidden, computeCover(zone, other.box));
  }
  const isCut =
    subject.box[0] < BORDER_PX ||
    subject.box[2] > question.width - BORDER_PX ||
    subject.box[3] > question.height - BORDER_PX;
  return (zone[3] - zone[1]) * (1 - hidden) * (isCut ? CUT_WORTH : 1);
}

/** Share of `box` that lies under `cover`. */
function computeCover(box: Box, cover: Box): number {
  const width = Math.min(box[2], cover[2]) - Math.max(box[0], cover[0]);
  const height = Math.min(box[3], cover[3]) - Math.max(box[1], cover[1]);
  const area = (box[2] - box[0]) * (box[3] - box[1]);
  return area > 0 && width > 0 && height > 0 ? (width * height) / area : 0;
}
