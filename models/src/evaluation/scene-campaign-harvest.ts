import type { RoadUserLabel } from '@ngatu/contract';
import { computeIou, type Detector, fuseRiders, RoadAnalysis } from '@ngatu/edge';
import {
  type Cutout,
  computeBackground,
  cutRoadUser,
  decodePictures,
  type Picture,
  type RealStreet,
} from '@ngatu/simulators';
import { bareScene } from './bare-scene.ts';
import { computeProportion, type Proportion } from './interval.ts';
import { type Box, detectPicture } from './scene-campaign-noise-data.ts';

/** A street with what was taken from its clip, in memory. */
export interface HarvestedStreet {
  readonly street: RealStreet;
  readonly background: Picture;
  readonly cutouts: readonly Cutout[];
  /** Classes of which there are enough cutouts. */
  readonly labels: readonly RoadUserLabel[];
  /** How many of the pictures in which a followed road user is there show a finding of it; by the same sizes as the rendered ones. */
  readonly realRecall: Proportion;
}

interface Sight {
  readonly index: number;
  readonly box: Box | undefined;
  readonly label: RoadUserLabel;
}

/** Pictures a second that are looked at. */
export const HARVEST_FPS = 6;
const MAX_PICTURES = 240;
/** Of a clip this many pictures, evenly, make the background. */
const BACKGROUND_PICTURES = 45;
const MIN_HEIGHT_PX = 34;
/** Road users smaller than this are not counted in the comparison of recalls, px. */
const RECALL_MIN_HEIGHT_PX = 32;
/** Two sights before and after tell the direction; it moved at least this far meanwhile, in its heights. */
const HEADING_SIGHTS = 2;
const MIN_MOVE_HEIGHTS = 0.15;
const MAX_CUTS_PER_TRACK = 3;
const MIN_CUTOUTS = 3;
/** No other box may overlap the one that is cut, IoU. */
const MAX_OVERLAP = 0.02;
/** A track of fewer sights may be nothing. */
const MIN_SIGHTS = 5;

/**
 * Takes a background and road users from the clip of a street with the product's own detector. Nothing is written anywhere.
 * @throws NgatuError VIDEO_UNREADABLE, MODEL_INVALID
 */
export async function harvestStreet(
  street: RealStreet,
  file: string,
  detector: Detector,
  signal: AbortSignal,
): Promise<HarvestedStreet> {
  const { fromS, durationS } = street.background;
  const quiet: Picture[] = [];
  const options = { fromS, durationS, fps: BACKGROUND_PICTURES / durationS };
  for await (const picture of decodePictures(file, options, signal)) quiet.push(picture);
  const background = computeBackground(quiet);
  const pictures: Picture[] = [];
  for await (const picture of decodePictures(
    file,
    { fps: HARVEST_FPS, durationS: MAX_PICTURES / HARVEST_FPS },
    signal,
  ))
    pictures.push(picture);
  const tracks = await followPictures(pictures, HARVEST_FPS, detector);
  const cutouts = [...tracks].flatMap(([trackId, sights]) =>
    cutTrack({ trackId, sights, tracks, pictures, background, asset: street.asset }),
  );
  const labels = (['motorbike', 'car'] as const).filter(
    (label) => cutouts.filter((cutout) => cutout.label === label).length >= MIN_CUTOUTS,
  );
  return { street, background, cutouts, labels, realRecall: measureFollowed(tracks, background) };
}

/** Follows whoever is found in pictures at a steady rate. Tracks by their id. */
export async function followPictures(
  pictures: Iterable<Picture>,
  fps: number,
  detector: Detector,
): Promise<Map<number, Sight[]>> {
  const tracks = new Map<number, Sight[]>();
  let road: RoadAnalysis | undefined;
  let count = 0;
  for (const picture of pictures) {
    road ??= new RoadAnalysis(bareScene([picture.width, picture.height], 'a picture of the street'));
    const index = count++;
    const mediaTimeMs = (index * 1000) / fps;
    const mark = { index, mediaTimeMs, capturedAtMs: mediaTimeMs };
    const users = fuseRiders(await detectPicture(picture, detector));
    for (const track of road.update(mark, users, () => undefined).tracks) {
      const sights = tracks.get(track.trackId) ?? [];
      sights.push({ index, box: track.seen ? track.box : undefined, label: track.label });
      tracks.set(track.trackId, sights);
    }
  }
  return tracks;
}

function cutTrack(from: {
  readonly trackId: number;
  readonly sights: readonly Sight[];
  readonly tracks: ReadonlyMap<number, readonly Sight[]>;
  readonly pictures: readonly Picture[];
  readonly background: Picture;
  readonly asset: string;
}): Cutout[] {
  const { trackId, sights, tracks, pictures, background } = from;
  const label = sights.at(-1)?.label;
  if (label === undefined || (label !== 'motorbike' && label !== 'car')) return [];
  const found = sights.flatMap((sight, at): Cutout[] => {
    const { box, index } = sight;
    const [before, after] = [sights[at - HEADING_SIGHTS]?.box, sights[at + HEADING_SIGHTS]?.box];
    const picture = pictures[index];
    if (box === undefined || before === undefined || after === undefined || picture === undefined) return [];
    const height = box[3] - box[1];
    const [dx, dy] = [(after[0] + after[2] - before[0] - before[2]) / 2, after[3] - before[3]];
    if (height < MIN_HEIGHT_PX || Math.hypot(dx, dy) < MIN_MOVE_HEIGHTS * height) return [];
    const isAtEdge = box[0] < 3 || box[1] < 3 || box[2] > picture.width - 3 || box[3] > picture.height - 3;
    const isAlone = [...tracks].every(([other, list]) => {
      const there = other === trackId ? undefined : list.find((entry) => entry.index === index)?.box;
      return there === undefined || computeIou(there, box) <= MAX_OVERLAP;
    });
    if (isAtEdge || !isAlone) return [];
    const headingDeg = (Math.atan2(dy, dx) * 180) / Math.PI;
    const cut = cutRoadUser(picture, background, {
      box,
      label,
      headingDeg,
      source: `${from.asset} ${trackId}`,
    });
    return cut === undefined ? [] : [cut];
  });
  return found.toSorted((a, b) => b.height - a.height).slice(0, MAX_CUTS_PER_TRACK);
}

/** Within its track a road user is there: between two sights a picture without a finding is a miss. Whoever moves counts. */
export function measureFollowed(tracks: ReadonlyMap<number, readonly Sight[]>, picture: Picture): Proportion {
  let [hits, total] = [0, 0];
  for (const sights of tracks.values()) {
    const last = sights.findLastIndex(({ box }) => box !== undefined);
    const known = sights.slice(0, last + 1);
    const seen = known.filter(({ box }) => box !== undefined);
    const label = seen.at(-1)?.label;
    const [first, end] = [seen[0]?.box, seen.at(-1)?.box];
    if (seen.length < MIN_SIGHTS || first === undefined || end === undefined || label === 'person') continue;
    const height = (first[3] - first[1] + end[3] - end[1]) / 2;
    const isWhole = seen.every(
      ({ box }) =>
        box !== undefined && box[0] > 2 && box[2] < picture.width - 2 && box[3] < picture.height - 2,
    );
    if (
      height < RECALL_MIN_HEIGHT_PX ||
      !isWhole ||
      Math.hypot(end[0] - first[0], end[3] - first[3]) < height
    )
      continue;
    // the first and the last sight are findings by definition
    hits += seen.length - 2;
    total += known.length - 2;
  }
  return computeProportion(hits, total);
}
