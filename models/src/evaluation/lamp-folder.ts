import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { errorMessage, NgatuError } from '@ngatu/contract';

/** What a folder's name says its lamps show. */
interface LampTruth {
  readonly state: 'red' | 'amber' | 'green' | 'off';
  /** True where the folder is of arrows. */
  readonly arrow: boolean;
}

/** One picture of one signal head. */
export interface LabelledLamp extends LampTruth {
  readonly file: string;
  /** Path below the folder of the data. */
  readonly name: string;
}

const PICTURE = /\.(jpe?g|png|webp)$/i;
const MAX_DEPTH = 6;
const STATES: ReadonlyMap<string, LampTruth> = new Map([
  ['red', { state: 'red', arrow: false }],
  ['yellow', { state: 'amber', arrow: false }],
  ['amber', { state: 'amber', arrow: false }],
  ['orange', { state: 'amber', arrow: false }],
  ['green', { state: 'green', arrow: false }],
  ['off', { state: 'off', arrow: false }],
  ['unlit', { state: 'off', arrow: false }],
  ['black', { state: 'off', arrow: false }],
  ['dark', { state: 'off', arrow: false }],
  ['left', { state: 'green', arrow: true }],
  ['right', { state: 'green', arrow: true }],
  ['straight', { state: 'green', arrow: true }],
  ['greenarrow', { state: 'green', arrow: true }],
  ['greenleft', { state: 'green', arrow: true }],
  ['redarrow', { state: 'red', arrow: true }],
  ['redleft', { state: 'red', arrow: true }],
  ['amberarrow', { state: 'amber', arrow: true }],
  ['yellowarrow', { state: 'amber', arrow: true }],
]);

/**
 * Lists pictures in folders that are named by what their lamps show (`red`, `yellow` or `amber`, `green`, `off`; `left` and `green-arrow` for arrows),
 * at any depth: `DIR/red`, `DIR/test/red`.
 * @throws NgatuError FILE_UNREADABLE; TRUTH_INVALID where a picture lies in no such folder
 */
export async function listLampFolder(dir: string): Promise<LabelledLamp[]> {
  const lamps: LabelledLamp[] = [];
  await walk(dir, undefined, 0);
  if (lamps.length === 0)
    throw new NgatuError(
      'FILE_UNREADABLE',
      `Cannot evaluate lamps on ${dir}: no picture in a folder named by state`,
    );
  return lamps.sort((a, b) => (a.name < b.name ? -1 : 1));

  async function walk(folder: string, truth: LampTruth | undefined, depth: number): Promise<void> {
    for (const entry of await readEntries(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (depth >= MAX_DEPTH)
          throw new NgatuError('TRUTH_INVALID', `Cannot accept ${path}: folders lie too deep`);
        const said = STATES.get(entry.name.toLowerCase().replaceAll(/[\s_-]/g, ''));
        await walk(path, said ?? truth, depth + 1);
      } else if (PICTURE.test(entry.name)) {
        if (truth === undefined)
          throw new NgatuError(
            'TRUTH_INVALID',
            `Cannot accept ${path}: no folder above it is named by a state (red, yellow, green, off)`,
          );
        lamps.push({ ...truth, file: path, name: relative(dir, path) });
      }
    }
  }
}

async function readEntries(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    throw new NgatuError('FILE_UNREADABLE', `Cannot read folder ${folder}: ${errorMessage(cause)}`, {
      cause,
    });
  }
}
