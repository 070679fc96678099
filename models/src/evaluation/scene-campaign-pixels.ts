import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asOutputError, type EventKind, NgatuError } from '@ngatu/contract';
import type { Detector } from '@ngatu/edge';
import {
  describeTruth,
  drawCase,
  encodeVideo,
  type Picture,
  type PictureBox,
  type SceneCase,
  SceneRenderer,
  siteOnStreet,
  WEATHERS,
  type Weather,
} from '@ngatu/simulators';
import { computeProportion, formatProportion, type Proportion } from './interval.ts';
import {
  followPictures,
  HARVEST_FPS,
  type HarvestedStreet,
  measureFollowed,
} from './scene-campaign-harvest.ts';

/** The rules of which cases are rendered. */
export const RENDERED_KINDS = [
  'RED_LIGHT',
  'STOP_LINE',
  'WRONG_WAY',
  'STOP_PARK',
  'SPEED',
] as const satisfies EventKind[];

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
    throw asOutputError(error, `write to ${dir}`);
  });
  const rendered: RenderedCase[] = [];
  for (let n = 0; n < options.cases; n++) {
    if (signal.aborted) break;
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
    throw asOutputError(error, `write to ${to.dir}`);
  }
}

export interface RecallComparison {
  readonly street: string;
  readonly real: Proportion;
  readonly rendered: Proportion;
  readonly byWeather: readonly { readonly weather: Weather; readonly rendered: Proportion }[];
}

/**
 * Whether the detector finds rendered road users as it finds real ones. The measure is the same for both: whoever moves, is whole and is
 * followed by the product's tracker, between its first and its last sight. Real ones in the clip of the street, rendered ones over its background.
 */
export async function compareRecall(
  harvest: HarvestedStreet,
  options: { readonly kinds: readonly EventKind[]; readonly casesPerKind: number; readonly seed: number },
  detector: Detector,
  signal: AbortSignal,
): Promise<RecallComparison> {
  const counts = new Map<Weather, { hits: number; total: number }>();
  for (const weather of WEATHERS) {
    for (const kind of options.kinds) {
      for (let i = 0; i < options.casesPerKind; i++) {
        if (signal.aborted) throw new NgatuError('VIDEO_UNREADABLE', 'Cannot compare recalls: stopped');
        const scene = drawCase(kind, options.seed + i, siteOnStreet(harvest.street, harvest.labels));
        const renderer = new SceneRenderer(scene, { ...harvest, weather });
        const step = Math.max(1, Math.round(scene.world.fps / HARVEST_FPS));
        const tracks = await followPictures(listPictures(renderer, step), scene.world.fps / step, detector);
        const { hits, total } = measureFollowed(tracks, harvest.background);
        const count = counts.get(weather) ?? { hits: 0, total: 0 };
        counts.set(weather, { hits: count.hits + hits, total: count.total + total });
      }
    }
  }
  const byWeather = [...counts].map(([weather, { hits, total }]) => ({
    weather,
    rendered: computeProportion(hits, total),
  }));
  const day = byWeather.find(({ weather }) => weather === 'day')?.rendered ?? computeProportion(0, 0);
  return { street: harvest.street.asset, real: harvest.realRecall, rendered: day, byWeather };
}

function* listPictures(renderer: SceneRenderer, step: number): Generator<Picture> {
  for (let index = 0; index < renderer.frameCount; index += step) yield renderer.render(index).picture;
}

/** The table that `ngatu simulate recall` prints. */
export function formatRecallTable(comparisons: readonly RecallComparison[]): string {
  const lines = ['street                      pictures      found while followed'];
  for (const { street, real, byWeather } of comparisons) {
    lines.push(`${street.padEnd(28)}${'real'.padEnd(14)}${formatProportion(real)}`);
    for (const { weather, rendered } of byWeather) {
      const [a, b] = [rendered.value, real.value];
      const gap = a === undefined || b === undefined ? '' : `  ${((a - b) * 100).toFixed(1)} points`;
      lines.push(`${''.padEnd(28)}${`drawn, ${weather}`.padEnd(14)}${formatProportion(rendered)}${gap}`);
    }
  }
  return lines.join('\n');
}
