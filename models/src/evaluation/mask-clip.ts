import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { errorMessage, fillDefaults, MaskProfile, type MaskVerdict, NgatuError } from '@ngatu/contract';
import { type FaceSight, type MaskFrame, replayMasks, type WatchedPerson } from '@ngatu/edge';
import type { AssetStore } from '../asset-store.ts';
import { computeFileSha256 } from '../file-digest.ts';
import { computeProportion, formatProportion } from './interval.ts';
import {
  type AnnotatedPerson,
  loadMaskAnnotation,
  locateFace,
  type MaskAnnotation,
} from './mask-annotation.ts';

/** One annotated person, and what the product counted for this person. */
export interface MaskPersonOutcome {
  readonly id: number;
  readonly mask: 'with' | 'without';
  /** One verdict for each time that the person was counted: none where missed, one where right. */
  readonly verdicts: readonly MaskVerdict[];
}

export interface MaskClipMetrics {
  readonly people: readonly MaskPersonOutcome[];
  readonly countedOnce: number;
  readonly countedMore: number;
  readonly missed: number;
  /** Of those who were counted: every verdict is right; at least one is wrong; the rest stays uncertain. */
  readonly right: number;
  readonly wrong: number;
  /** Counted, and nobody who was annotated. */
  readonly strangers: number;
  /** Counted in times or at sizes that nobody annotated. */
  readonly ignored: number;
}

export interface MaskClipOptions {
  readonly video: string;
  readonly annotation: MaskAnnotation;
  readonly sight: FaceSight;
}

export interface MaskClipsOptions {
  /** Folder of `*.masks.json`; a clip lies beside its annotation, or among the assets. */
  readonly dataDir: string;
  readonly assets: AssetStore;
  readonly sight: FaceSight;
}

const SUFFIX = '.masks.json';
/** As the profile of a camera has it by default. */
const DEFAULTS = fillDefaults(MaskProfile, {}) as MaskProfile;

/** Names of the annotated clips in a folder, sorted. @throws NgatuError FILE_UNREADABLE */
export async function listMaskAnnotations(dir: string): Promise<string[]> {
  try {
    const files = await readdir(dir);
    return files.filter((file) => file.endsWith(SUFFIX)).sort();
  } catch (cause) {
    throw new NgatuError('FILE_UNREADABLE', `Cannot read folder ${dir}: ${errorMessage(cause)}`, { cause });
  }
}

/**
 * Every annotated clip of a folder.
 * @throws NgatuError FILE_UNREADABLE, TRUTH_INVALID, ASSET_UNKNOWN, ASSET_UNAVAILABLE, ASSET_DIGEST_MISMATCH, VIDEO_UNREADABLE,
 *   MODEL_INVALID
 */
export async function evaluateMaskClips(
  { dataDir, assets, sight }: MaskClipsOptions,
  signal: AbortSignal,
): Promise<{ readonly name: string; readonly metrics: MaskClipMetrics }[]> {
  const results: { name: string; metrics: MaskClipMetrics }[] = [];
  for (const file of await listMaskAnnotations(dataDir)) {
    const annotation = await loadMaskAnnotation(join(dataDir, file));
    const video = await findClip(annotation, dataDir, { assets, signal });
    const metrics = await evaluateMaskClip({ video, annotation, sight }, signal);
    results.push({ name: basename(file, SUFFIX), metrics });
  }
  return results;
}

async function findClip(
  { video, sha256, asset }: MaskAnnotation,
  dataDir: string,
  { assets, signal }: { readonly assets: AssetStore; readonly signal: AbortSignal },
): Promise<string> {
  const beside = join(dataDir, basename(video));
  if (!existsSync(beside)) return (await assets.resolve(asset, { signal })).path;
  const actual = await computeFileSha256(beside, signal);
  if (actual === sha256) return beside;
  const message = `Cannot evaluate clip ${beside}: sha256 differs (annotated ${sha256}, found ${actual})`;
  throw new NgatuError('ASSET_DIGEST_MISMATCH', message);
}

/** What `ngatu eval masks` prints of an annotated clip. */
export function formatMaskClip(name: string, metrics: MaskClipMetrics): string {
  const { people, countedOnce, countedMore, missed, right, wrong, strangers, ignored } = metrics;
  const share = (hits: number): string => formatProportion(computeProportion(hits, people.length));
  return [
    `${name}: ${people.length} people annotated, each to be counted once`,
    `counted once ${share(countedOnce)}, more than once ${countedMore}, missed ${missed}; counted and not annotated ${strangers}`,
    `every verdict right ${share(right)}, one wrong ${wrong}, else uncertain`,
    `${ignored} more were counted in times or at sizes that are not annotated`,
    ...people.map(
      ({ id, mask, verdicts }) =>
        `  ${String(id).padStart(3)} ${mask.padEnd(8)} said: ${verdicts.join(', ') || '–'}`,
    ),
  ].join('\n');
}

/** Boxes were read by eye: the middle of a found face may lie so far outside of one, as a share of its size. */
const SLACK = 0.25;

/**
 * Runs the product's watch on a clip, and holds who was counted against who was there.
 * @throws NgatuError VIDEO_UNREADABLE, MODEL_INVALID
 */
async function evaluateMaskClip(options: MaskClipOptions, signal: AbortSignal): Promise<MaskClipMetrics> {
  const { annotation, ...replay } = options;
  const sights = new SightCount(annotation);
  const counted = await replayMasks(
    {
      ...replay,
      ...{ maxWidth: DEFAULTS.maxWidth, maxFps: DEFAULTS.maxFps },
      onFrame: ({ mediaTimeMs }, found) => sights.add(mediaTimeMs, found),
    },
    signal,
  );
  return sights.score(counted);
}

/** For each counted person the annotated people on whose faces it lay, with how often. */
class SightCount {
  readonly #annotation: MaskAnnotation;
  readonly #votes = new Map<number, Map<number, number>>();

  constructor(annotation: MaskAnnotation) {
    this.#annotation = annotation;
  }

  add(atMs: number, { faces }: MaskFrame): void {
    for (const { personId, box } of faces) {
      const person = this.#annotation.people.find((entry) => isOn(entry, atMs, box));
      const votes = this.#votes.get(personId) ?? new Map<number, number>();
      this.#votes.set(personId, votes);
      if (person !== undefined) votes.set(person.id, (votes.get(person.id) ?? 0) + 1);
    }
  }

  score(counted: readonly WatchedPerson[]): MaskClipMetrics {
    const verdicts = new Map<number, MaskVerdict[]>();
    let strangers = 0;
    let ignored = 0;
    for (const person of counted) {
      const id = this.#elect(person.personId);
      if (id !== undefined) verdicts.set(id, [...(verdicts.get(id) ?? []), person.verdict]);
      else if (this.#isIgnored(person)) ignored += 1;
      else strangers += 1;
    }
    const people = this.#annotation.people.map(({ id, mask }) => ({
      id,
      mask,
      verdicts: verdicts.get(id) ?? [],
    }));
    const count = (test: (person: MaskPersonOutcome) => boolean): number => people.filter(test).length;
    return {
      people,
      countedOnce: count((person) => person.verdicts.length === 1),
      countedMore: count((person) => person.verdicts.length > 1),
      missed: count((person) => person.verdicts.length === 0),
      right: count(
        ({ mask, verdicts: said }) => said.length > 0 && said.every((verdict) => verdict === mask),
      ),
      wrong: count(({ mask, verdicts: said }) =>
        said.some((verdict) => verdict !== mask && verdict !== 'uncertain'),
      ),
      strangers,
      ignored,
    };
  }

  #elect(personId: number): number | undefined {
    const votes = [...(this.#votes.get(personId) ?? [])].sort((a, b) => b[1] - a[1]);
    return votes[0]?.[0];
  }

  #isIgnored({ firstSeenMs, lastSeenMs, largestPx }: WatchedPerson): boolean {
    if (largestPx < this.#annotation.countFromPx) return true;
    const middle = (firstSeenMs + lastSeenMs) / 2;
    return this.#annotation.ignored.some(({ fromMs, toMs }) => middle >= fromMs && middle <= toMs);
  }
}

function isOn(
  person: AnnotatedPerson,
  atMs: number,
  found: readonly [number, number, number, number],
): boolean {
  const box = locateFace(person, atMs);
  if (box === undefined) return false;
  const [x, y] = [(found[0] + found[2]) / 2, (found[1] + found[3]) / 2];
  const [slackX, slackY] = [SLACK * (box[2] - box[0]), SLACK * (box[3] - box[1])];
  return x >= box[0] - slackX && x <= box[2] + slackX && y >= box[1] - slackY && y <= box[3] + slackY;
}
