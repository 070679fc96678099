import { dirname, join } from 'node:path';
import { OccupantNet } from '@ngatu/edge';
import {
  AssetStore,
  findRepositoryRoot,
  loadUnlabelledPlaces,
  locateAssetFolders,
  measureNoise,
} from '@ngatu/models';
import type { Command } from 'commander';
import { openNamedDetector } from './model-option.ts';
import { readNameList } from './name-list.ts';
import { resolveNetwork } from './network-option.ts';
import { writeJson } from './output-file.ts';
import { OCCUPANT_MODEL } from './small-net-option.ts';
import { watchStopSignals } from './stop-signal.ts';

interface NoiseOptions {
  readonly out: string;
  readonly data?: string;
  readonly model?: string;
}

/** Findings below this are not reported by the product either. */
const MIN_CONFIDENCE = 0.1;

/** Clips on which it is measured how noise hangs together in time, with the rate at which they are looked at, pictures a second, and for how long, s. */
const CLIPS = [
  { name: 'hanoi-giangvo-langha-1615', fps: 6, durationS: 64 },
  { name: 'intersection-borislavy', fps: 10, durationS: 30 },
  { name: 'car-detection', fps: 12.5, durationS: 30 },
  { name: 'street-parked-ckuhn', fps: 10, durationS: 20 },
] as const;

/** Which pictures of a set no training of ours has seen. */
const ANNOTATIONS = join(findRepositoryRoot(), 'models', 'annotations');

/** `ngatu simulate noise`. */
export function addNoiseSimulation(command: Command): void {
  command
    .command('noise')
    .description(
      'measure the noise of the detector on labelled pictures that it was not trained on and on clips, for `ngatu eval rules`',
    )
    .requiredOption(
      '--out <file>',
      'noise profile to write (the one in use: simulators/scene/detection-noise.json)',
    )
    .option(
      '--data <dir>',
      'folder with vn-intersection, cctv-bikes and hanoi-1615-riders; by default datasets/ of the assets',
    )
    .option('--model <name>', 'detector of the model registry; by default that of the product')
    .action(measure);
}

async function measure(options: NoiseOptions): Promise<void> {
  const stop = watchStopSignals(() => undefined);
  const { detector } = await openNamedDetector(options.model, stop.signal);
  let net: OccupantNet | undefined;
  try {
    net = await OccupantNet.open(await resolveNetwork(OCCUPANT_MODEL, stop.signal));
    const dir = options.data ?? join(locateAssetFolders().localDir, 'datasets');
    const store = new AssetStore();
    const clips = [];
    for (const clip of CLIPS) {
      const asset = await store.find(clip.name, stop.signal);
      if (asset !== undefined) clips.push({ ...clip, file: asset.path });
    }
    const profile = await measureNoise(
      {
        folders: [
          {
            name: 'vn-intersection',
            dir: join(dir, 'vn-intersection'),
            only: await readNameList(join(ANNOTATIONS, 'vn-intersection-held-out.txt')),
            classes: new Map([
              [0, 'bus'],
              [1, 'car'],
              [2, 'both'],
              [4, 'truck'],
            ]),
            // the set was stretched to squares
            aspect: 16 / 9,
            isComplete: true,
            unlabelled: await loadUnlabelledPlaces(
              join(ANNOTATIONS, 'vn-intersection-held-out.unlabelled.json'),
            ),
          },
          {
            name: 'cctv-bikes',
            dir: join(dir, 'cctv-bikes'),
            only: await readNameList(join(ANNOTATIONS, 'cctv-bikes-held-out.txt')),
            classes: new Map([[0, 'both']]),
            isComplete: false,
          },
          {
            name: 'hanoi-1615-riders',
            dir: join(dir, 'hanoi-1615-riders'),
            classes: new Map([[0, 'rider']]),
            isComplete: false,
          },
        ],
        walks: { dataDir: ANNOTATIONS, assets: store },
        clips,
        riders: { dataDir: ANNOTATIONS, mediaDir: dirname(dir), net },
        detector,
        minConfidence: MIN_CONFIDENCE,
        measuredAt: new Date().toISOString().slice(0, 10),
        onProgress: (text) => console.error(text),
      },
      stop.signal,
    );
    await writeJson(options.out, profile);
  } finally {
    await net?.close();
    await detector.close();
    stop.dispose();
  }
}
