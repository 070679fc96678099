import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { NgatuError } from '@ngatu/contract';
import {
  AssetStore,
  checkModel,
  draftModelManifest,
  loadModelManifest,
  locateAssetFolders,
  type ModelCheck,
  ModelRegistry,
  type RegisteredModel,
  type RegistryProblem,
} from '@ngatu/models';
import { Command } from 'commander';
import { watchStopSignals } from './stop-signal.ts';

/** `ngatu models list|show|check|draft`. */
export function buildCommand(): Command {
  const command = new Command('models').description(
    'Models of models/registry, and those of your own in the folder NGATU_MODELS (NAME/model.json, NAME/card.md and the\n' +
      'file beside them): what each is for, under which licence it stands, and whether it is what its manifest says.',
  );
  command
    .command('list', { isDefault: true })
    .description('list every model with its task, licence and where its file is')
    .option('--json', 'print JSON')
    .action(list);
  command
    .command('show')
    .description('print the manifest and the card of a model')
    .argument('<name>', 'name of the model')
    .action(show);
  command
    .command('check')
    .description(
      'open models as the product does, and look at their cards; exit code 1 where one is not sound',
    )
    .argument('[dir]', 'folder of one model, or of several; by default every model that is known')
    .action(check);
  command
    .command('draft')
    .description('print a manifest to begin with, from what an ONNX file says about itself')
    .argument('<file>', 'the ONNX file')
    .action((file: string) => console.log(JSON.stringify(draftModelManifest(file), undefined, 2)));
  return command;
}

async function list(options: { json?: true }): Promise<void> {
  const store = new AssetStore();
  const { models, problems } = store.registry;
  const rows = await Promise.all(
    models.map(async ({ manifest, origin, folder }) => {
      // a source that leads out of its folder is told by `check`
      const found = await store.find(manifest.name).catch(() => undefined);
      return { manifest, origin, folder, path: found?.path };
    }),
  );
  if (options.json) return console.log(JSON.stringify(rows, undefined, 2));
  const nameWidth = Math.max(...rows.map(({ manifest }) => manifest.name.length));
  const taskWidth = Math.max(...rows.map(({ manifest }) => manifest.task.length));
  for (const { manifest, origin, path } of rows) {
    const { name, task, licence, purpose, files } = manifest;
    const size = `${(files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) / 1e6).toFixed(1)} MB`;
    const own = origin === 'own' ? ' (own)' : '';
    console.log(
      `${name.padEnd(nameWidth)}  ${task.padEnd(taskWidth)}  ${size.padStart(8)}  ${path ?? 'not on this machine'}${own}`,
    );
    console.log(`${' '.repeat(nameWidth)}  ${purpose} [${licence.spdx ?? 'none stated'}]`);
    if (licence.doubt !== undefined) console.log(`${' '.repeat(nameWidth)}  Doubt: ${licence.doubt}`);
  }
  printProblems(problems);
}

function show(name: string): void {
  const { registry } = new AssetStore();
  const model = registry.find(name);
  if (model === undefined) {
    const names = registry.models.map(({ manifest }) => manifest.name).join(', ');
    throw new NgatuError('ASSET_UNKNOWN', `Cannot find model "${name}": there are ${names}`);
  }
  console.log(JSON.stringify(model.manifest, undefined, 2));
  const card = join(model.folder, 'card.md');
  if (existsSync(card)) console.log(`\n${readFileSync(card, 'utf8').trimEnd()}`);
}

async function check(dir: string | undefined): Promise<void> {
  const stop = watchStopSignals(() => undefined);
  try {
    const store = openStore(dir);
    const { models, problems } = store.registry;
    const looked = dir === undefined ? models : models.filter(({ origin }) => origin === 'own');
    const checks: ModelCheck[] = [];
    for (const model of looked) {
      const found = await checkModel(model, store, stop.signal);
      printCheck(found);
      checks.push(found);
    }
    const broken =
      dir === undefined ? problems : problems.filter((each) => each.folder.startsWith(resolve(dir)));
    printProblems(broken);
    if (checks.length + broken.length === 0)
      throw new NgatuError('FILE_UNREADABLE', `Cannot find a model.json in ${dir} or in a folder of it`);
    const bad = checks.filter(({ file, card }) => file === 'broken' || card.length > 0).length;
    if (bad + broken.length > 0) process.exitCode = 1;
  } finally {
    stop.dispose();
  }
}

/** A store that knows the models of a folder as well, be it that of one model or of several. */
function openStore(dir: string | undefined): AssetStore {
  const folders = locateAssetFolders();
  if (dir === undefined) return new AssetStore(folders);
  const folder = resolve(dir);
  if (!existsSync(join(folder, 'model.json'))) return new AssetStore({ ...folders, ownModelsDir: folder });
  const model: RegisteredModel = { manifest: loadModelManifest(folder), folder, origin: 'own' };
  return new AssetStore({ ...folders, registry: new ModelRegistry([model], []) });
}

function printCheck({ model, file, error, card }: ModelCheck): void {
  const { name, task, licence } = model.manifest;
  const words = { sound: 'sound', absent: 'not on this machine', broken: 'BROKEN' }[file];
  console.log(`${name} (${task}): ${words}`);
  if (error !== undefined) console.log(`  ${error.code}: ${error.message}`);
  for (const problem of card) console.log(`  card: ${problem}`);
  if (licence.spdx === undefined) console.log('  licence: none stated');
  if (licence.doubt !== undefined) console.log(`  licence: ${licence.doubt}`);
}

function printProblems(problems: readonly RegistryProblem[]): void {
  for (const { name, error } of problems) console.log(`${name}: BROKEN\n  ${error.code}: ${error.message}`);
}
