import { NgatuError } from '@ngatu/contract';
import { type AssetProgress, AssetStore, type ResolvedAsset } from '@ngatu/models';
import { Command } from 'commander';

/** `ngatu assets list|fetch|verify`. */
export function buildCommand(): Command {
  const command = new Command('assets').description(
    'Files of the models in models/registry, and clips and data of models/manifest/assets.json: looked for in the folder NGATU_ASSETS (by default\n' +
      '../shared beside the checkout), else fetched from their public source into NGATU_ASSET_CACHE (.ngatu/assets).',
  );
  command
    .command('list', { isDefault: true })
    .description('list every asset with its licence and where it is now')
    .option('--json', 'print JSON')
    .action(list);
  command
    .command('fetch')
    .description('make assets available on this machine')
    .argument('[name...]', 'assets; all of them where none is named')
    .action(fetchAssets);
  command
    .command('verify')
    .description('check the sha256 of assets that are on this machine')
    .argument('[name...]', 'assets; all of them where none is named')
    .action(verify);
  return command;
}

async function list(options: { json?: true }): Promise<void> {
  const store = new AssetStore();
  const rows = await Promise.all(
    store.list().map(async (asset) => {
      const { name, kind, sha256, sizeBytes, licence, licenceNote, attribution, purpose } = asset;
      const found = await store.find(name);
      return { name, kind, sizeBytes, sha256, licence, licenceNote, attribution, purpose, path: found?.path };
    }),
  );
  if (options.json) return console.log(JSON.stringify(rows, undefined, 2));
  const width = Math.max(...rows.map((row) => row.name.length));
  for (const row of rows) {
    const size = `${(row.sizeBytes / 1e6).toFixed(1)} MB`.padStart(8);
    console.log(
      `${row.name.padEnd(width)}  ${row.kind.padEnd(7)} ${size}  ${row.path ?? 'not on this machine'}`,
    );
    console.log(`${' '.repeat(width)}  ${row.purpose} [${row.licence}; ${row.attribution}]`);
  }
}

async function fetchAssets(names: string[]): Promise<void> {
  const store = new AssetStore();
  const failures: NgatuError[] = [];
  for (const name of names.length > 0 ? names : store.list().map((asset) => asset.name)) {
    try {
      printFound(name, await store.resolve(name, { onProgress: printProgress(console.error) }));
    } catch (error) {
      if (!(error instanceof NgatuError) || names.length > 0) throw error;
      console.error(`${error.code}: ${error.message}`);
      failures.push(error);
    }
  }
  const [first] = failures;
  if (first !== undefined) {
    throw new NgatuError(first.code, `Cannot fetch ${failures.length} of the assets: see above`, {
      cause: first,
    });
  }
}

async function verify(names: string[]): Promise<void> {
  const store = new AssetStore();
  const absent: string[] = [];
  for (const name of names.length > 0 ? names : store.list().map((asset) => asset.name)) {
    const found = await store.find(name);
    if (found === undefined) absent.push(name);
    else printFound(name, found);
  }
  if (absent.length === 0) return;
  throw new NgatuError(
    'ASSET_UNAVAILABLE',
    `Not on this machine with the right sha256: ${absent.join(', ')}`,
  );
}

function printFound(name: string, { path, sha256 }: ResolvedAsset): void {
  console.log(`${name}  ${sha256}  ${path}`);
}

const PROGRESS_EVERY_MS = 2_000;

/** A progress listener that prints one line when a source is begun and one every two seconds. */
export function printProgress(print: (line: string) => void): (progress: AssetProgress) => void {
  let begun = '';
  let printedAt = 0;
  return ({ asset, source, receivedBytes, totalBytes }) => {
    const from =
      source.kind === 'url'
        ? new URL(source.url).host
        : 'package' in source
          ? `${source.kind} package ${source.package}`
          : 'folder';
    const now = performance.now();
    const isNew = begun !== `${asset} ${from}`;
    if (!isNew && now - printedAt < PROGRESS_EVERY_MS) return;
    begun = `${asset} ${from}`;
    printedAt = now;
    const total = totalBytes === undefined ? '' : ` of ${(totalBytes / 1e6).toFixed(1)}`;
    print(`fetching ${asset} from ${from}: ${(receivedBytes / 1e6).toFixed(1)}${total} MB`);
  };
}
