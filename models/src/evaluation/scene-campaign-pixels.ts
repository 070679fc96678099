import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EventKind } from '@ngatu/contract';
import type { Detector } from '@ngatu/edge';
import {
  describeTruth,
  drawCase,
  encodeVideo,
  type Picture,
  type PictureBox,
  type RenderedUser,
  type SceneCase,
  SceneRenderer,
  siteOnStreet,
  WEATHERS,
  type Weather,
} from '@ngatu/simulators';
import { asStorageError } from '../storage-error.ts';
import { computeProportion, type Proportion } from './interval.ts';
import { type HarvestedStreet, RECALL_MIN_HEIGHT_PX } from './scene-campaign-harvest.ts';
import { computeIou } from './scene-campaign-noise-match.ts';
import { detectPicture } from './scene-campaign-noise-data.ts';

/** The rules of which cases are rendered. */
export const RENDERED_KINDS = ['RED_LIGHT', 'STOP_LINE', 'WRONG_WAY', 'STOP_PARK', 'SPEED'] as const satisfies EventKind[];

export interface RenderOptions {
  readonly kind: EventKind;
  readonly cases: number;
  readonly seed: number;
  readonly dir: string;
  readonly streets: readonly HarvestedStreet[];
  readonly onCase?: (name: string, story: string) => void;
}

export interface RenderedCase {
  readonly name: string;
  readonly video: string;
  readonly scene: SceneCase;
  readonly weather: Weather;
  readonly street: string;
}

/** Street cameras send between these rates of quality (x264 CRF). */
const CRF = { day: 23, dusk: 26, rain: 25 } as const;

/**
 * Renders cases as `NAME.mp4` with `NAME.scene.yaml` and `NAME.truth.json`; streets and weathers take turns.
 * @throws NgatuError USAGE, VIDEO_UNREADABLE, PERMISSION_DENIED, DISK_FULL
 */
export async function renderCases(options: RenderOptions, signal: AbortSignal): Promise<RenderedCase[]> {
  const { kind, streets, dir } = options;
  await mkdir(dir, { recursive: true }).catch((error: unknown) => {
    throw asStorageError(error, `write to ${dir}`);
  });
  const rendered: RenderedCase[] = [];
  for (let n = 0; n < options.cases; n++) {
    signal.throwIfAborted();
    const seed = options.seed + n;
    // even seeds break the rule: street and weather change every second case, so that both have all of them
    const harvest = streets[Math.floor(n / 2) % streets.length];
    const weather = WEATHERS[Math.floor(n / (2 * streets.length)) % WEATHERS.length] ?? 'day';
    if (harvest === undefined) break;
    const scene = drawCase(kind, seed, siteOnStreet(harvest.street, harvest.labels));
    const name = `${scene.scene.name}-${weather}`;
    options.onCase?.(name, scene.story);
    const video = join(dir, `${name}.mp4`);
    await renderCase(scene, harvest, { weather, video, dir, name }, signal);
    rendered.push({ name, video, scene, weather, street: harvest.street.asset });
  }
  return rendered;
}

async function renderCase(
  scene: SceneCase,
  harvest: HarvestedStreet,
  to: { readonly weather: Weather; readonly video: string; readonly dir: string; readonly name: string },
  signal: AbortSignal,
): Promise<void> {
  const renderer = new SceneRenderer(scene, { ...harvest, weather: to.weather });
  const drawn = new Map<number, { frame: number; box: PictureBox }[]>();
  const { width, height } = scene.world.camera;
  const pictures = function* (): Generator<Picture> {
    for (let index = 0; index < renderer.frameCount; index++) {
      const { picture, users } = renderer.render(index);
      for (const user of users) {
        const path = drawn.get(user.userId) ?? [];
        path.push({ frame: index, box: user.drawnBox });
        drawn.set(user.userId, path);
      }
      yield picture;
    }
  };
  const encoding = { width, height, fps: scene.world.fps, crf: CRF[to.weather] };
  await encodeVideo(to.video, pictures(), encoding, signal);
  const truth = describeTruth(scene, drawn, `${to.name}.mp4`);
  try {
    // YAML 1.2 holds JSON
    await writeFile(join(to.dir, `${to.name}.scene.yaml`), `${JSON.stringify(scene.scene, undefined, 2)}\n`);
    await writeFile(join(to.dir, `${to.name}.truth.json`), `${JSON.stringify(truth, undefined, 1)}\n`);
  } catch (error) {
    throw asStorageError(error, `write to ${to.dir}`);
  }
}

export interface RecallComparison {
  readonly street: string;
  readonly real: Proportion;
  readonly rendered: Proportion;
  readonly byWeather: readonly { readonly weather: Weather; readonly rendered: Proportion }[];
}

/** A rendered road user is found where a finding of its class overlaps it so (IoU), or its rider does. */
const MIN_IOU = 0.4;
const EVERY_NTH = 6;

/**
 * Whether the detector finds rendered road users as it finds real ones. Real: in the clip of the street, whoever is followed, between its first and
 * its last sight. Rendered: whoever is whole and in sight, from the picture before compression on; only between its own first and last finding, as
 * with the real ones.
 */
export async function compareRecall(
  harvest: HarvestedStreet,
  options: { readonly kinds: readonly EventKind[]; readonly casesPerKind: number; readonly seed: number },
  detector: Detector,
  signal: AbortSignal,
): Promise<RecallComparison> {
  const counts = new Map<Weather, { hits: number; total: number }>();
  let n = 0;
  for (const kind of options.kinds) {
    for (let i = 0; i < options.casesPerKind; i++) {
      signal.throwIfAborted();
      const weather = WEATHERS[n++ % WEATHERS.length] ?? 'day';
      const scene = drawCase(kind, options.seed + i, siteOnStreet(harvest.street, harvest.labels));
      const count = counts.get(weather) ?? { hits: 0, total: 0 };
      const own = await countFound(new SceneRenderer(scene, { ...harvest, weather }), detector);
      counts.set(weather, { hits: count.hits + own.hits, total: count.total + own.total });
    }
  }
  const byWeather = [...counts].map(([weather, { hits, total }]) => ({ weather, rendered: computeProportion(hits, total) }));
  const day = byWeather.find(({ weather }) => weather === 'day')?.rendered ?? computeProportion(0, 0);
  return { street: harvest.street.asset, real: harvest.realRecall, rendered: day, byWeather };
}

async function countFound(
  renderer: SceneRenderer,
  detector: Detector,
): Promise<{ hits: number; total: number }> {
  const sights = new Map<number, boolean[]>();
  for (let index = 0; index < renderer.frameCount; index += EVERY_NTH) {
    const { picture, users } = renderer.render(index);
    const findings = await detectPicture(picture, detector);
    for (const user of users) {
      if (!isWhole(user, picture)) continue;
      const list = sights.get(user.userId) ?? [];
      list.push(findings.some(({ label, box }) => isFinding(user, label, box)));
      sights.set(user.userId, list);
    }
  }
  let [hits, total] = [0, 0];
  for (const list of sights.values()) {
    const between = list.slice(list.indexOf(true) + 1, list.lastIndexOf(true));
    if (!list.includes(true)) {
      total += list.length;
      continue;
    }
    hits += between.filter(Boolean).length;
    total += between.length;
  }
  return { hits, total };
}

function isWhole({ drawnBox: [x1, y1, x2, y2], visibleShare, pose }: RenderedUser, picture: Picture): boolean {
  const isInside = x1 > 2 && y1 > 2 && x2 < picture.width - 2 && y2 < picture.height - 2;
  return isInside && visibleShare > 0.95 && y2 - y1 >= RECALL_MIN_HEIGHT_PX && pose.speedMps > 0.3;
}

function isFinding({ label, drawnBox }: RenderedUser, found: string, box: PictureBox): boolean {
  if (label === 'car') return found !== 'person' && computeIou(drawnBox, box) >= MIN_IOU;
  if (found !== 'person' && found !== 'motorbike' && found !== 'bicycle') return false;
  // a rider is the upper, a bike the lower part
  return computeIou(drawnBox, box) >= MIN_IOU;
}
