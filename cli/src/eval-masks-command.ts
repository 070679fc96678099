import { join } from 'node:path';
import { NgatuError } from '@ngatu/contract';
import { FACE_SIGHTS, type FaceSight, type FaceSightName, PRODUCT_SIGHT } from '@ngatu/edge';
import {
  AssetStore,
  evaluateMaskClips,
  evaluateMasks,
  formatMaskClip,
  formatMaskTable,
  HonestSight,
  learnMasks,
  listFoldNetworks,
  listMaskAnnotations,
  type MaskTraining,
} from '@ngatu/models';
import type { Command } from 'commander';
import type { EvaluationOptions } from './evaluation-option.ts';
import { writeJson } from './output-file.ts';
import { watchStopSignals } from './stop-signal.ts';

interface MaskOptions extends EvaluationOptions {
  readonly sight?: string;
  readonly faces?: string;
  readonly learn?: string;
  readonly source?: string;
}

/** `ngatu eval masks --data DIR`. */
export function addMaskEvaluation(command: Command): void {
  command
    .command('masks')
    .description(
      'faces with and without a mask, per face, by size: DIR holds images/ and annotations/ (Pascal VOC with with_mask,\n' +
        'without_mask, mask_weared_incorrect), a table for each network and combination that is packaged; or annotated\n' +
        'clips (*.masks.json), in which people are counted',
    )
    .requiredOption('--data <dir>', 'folder of labelled pictures, or of annotated clips')
    .option(
      '--sight <name>',
      `one way of looking only: ${Object.keys(FACE_SIGHTS).join(', ')}; the product runs ${PRODUCT_SIGHT}`,
    )
    .option(
      '--faces <file>',
      'faces that were judged by eye (models/annotations/street-faces.json) in the place of annotations/: DIR then holds the\n' +
        'sets; with --learn besides them: the sets then lie beside DIR',
    )
    .option('--json <file>', 'write the metrics as JSON')
    .option('--predictions <dir>', 'write masks.json: what was said about each face of each picture')
    .option(
      '--learn <file>',
      `no table: learn the coefficients of "${PRODUCT_SIGHT}" on these pictures, on all and without each fifth of them`,
    )
    .option('--source <text>', 'where these pictures are from, kept with what was learned on them')
    .action(evaluate);
}

async function evaluate(options: MaskOptions): Promise<void> {
  const stop = watchStopSignals(() => undefined);
  const store = new AssetStore();
  if (options.learn !== undefined) {
    const networks = await listFoldNetworks(stop.signal);
    const chooser = new HonestSight(PRODUCT_SIGHT, store, stop.signal, { folds: [], networks, pictures: [] });
    await learn({ ...options, file: options.learn, networks }, chooser, stop.signal);
    return stop.dispose();
  }
  const choosers = listSights(options.sight).map((name) => new HonestSight(name, store, stop.signal));
  try {
    if (options.faces === undefined && (await listMaskAnnotations(options.data)).length > 0)
      return await countPeople(options, store, stop.signal);
    const list = options.faces === undefined ? {} : { faceList: options.faces };
    const { metrics, predictions } = await evaluateMasks(
      { dataDir: options.data, ...list, choosers },
      stop.signal,
    );
    console.log(formatMaskTable(metrics));
    if (options.json !== undefined) await writeJson(options.json, metrics);
    if (options.predictions !== undefined)
      await writeJson(join(options.predictions, 'masks.json'), predictions);
  } finally {
    await Promise.all(choosers.map((chooser) => chooser.close()));
    stop.dispose();
  }
}

async function learn(
  {
    data,
    faces,
    source,
    file,
    networks,
  }: MaskOptions & Pick<MaskTraining, 'networks'> & { readonly file: string },
  chooser: HonestSight,
  signal: AbortSignal,
): Promise<void> {
  try {
    const openFold = (fold: number): Promise<FaceSight> => chooser.openFold(fold);
    const about = {
      ...(source === undefined ? {} : { source }),
      ...(faces === undefined ? {} : { faceList: faces }),
    };
    await writeJson(file, await learnMasks({ dataDir: data, openFold, networks, ...about }, signal));
  } finally {
    await chooser.close();
  }
}

/** Annotated clips are watched as the agent watches a camera. */
async function countPeople(
  { data, json }: MaskOptions,
  assets: AssetStore,
  signal: AbortSignal,
): Promise<void> {
  const chooser = new HonestSight(PRODUCT_SIGHT, assets, signal);
  try {
    const { sight } = await chooser.choose('');
    const clips = await evaluateMaskClips({ dataDir: data, assets, sight }, signal);
    for (const { name, metrics } of clips) console.log(formatMaskClip(name, metrics));
    if (json !== undefined) await writeJson(json, clips);
  } finally {
    await chooser.close();
  }
}

function listSights(name: string | undefined): FaceSightName[] {
  const names = Object.keys(FACE_SIGHTS) as FaceSightName[];
  if (name === undefined) return names;
  const known = names.find((entry) => entry === name);
  if (known === undefined)
    throw new NgatuError('USAGE', `Cannot evaluate masks with "${name}": known are ${names.join(', ')}`);
  return [known];
}
