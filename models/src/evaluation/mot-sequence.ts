import { readdir, readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { errorMessage, NgatuError } from '@ngatu/contract';
import { loadMotText, type MotRow } from './mot-text.ts';

/** A folder of one MOTChallenge sequence. */
export interface MotSequence {
  readonly name: string;
  readonly truth: readonly MotRow[];
  /** Public detections; absent where the folder holds a truth alone. */
  readonly detections?: readonly MotRow[];
  /** Frames a second. */
  readonly frameRate: number;
  /** False where `seqinfo.ini` does not state the frame rate and `ASSUMED_FRAME_RATE` stands for it. */
  readonly isFrameRateKnown: boolean;
  readonly frameCount: number;
}

export const ASSUMED_FRAME_RATE = 25;
/** How deep below the named folder sequences are looked for: `train/NAME` of a whole MOTChallenge release. */
const MAX_DEPTH = 2;
/** The files of a sequence, in the order in which they are looked for. */
const TRUTH_FILES = ['gt/gt.txt', 'gt.txt'];
const DETECTION_FILES = ['det/det.txt', 'det.txt'];

/**
 * Loads every sequence in `dir`, which is one itself or holds sequences, in the order of their names. A sequence is a folder with
 * `gt/gt.txt` or `gt.txt`.
 * @throws NgatuError FILE_UNREADABLE, TRUTH_INVALID, DETECTIONS_INVALID
 */
export async function loadMotSequences(dir: string): Promise<MotSequence[]> {
  const folders = await findSequences(resolve(dir), 0);
  if (folders.length === 0) {
    throw new NgatuError(
      'FILE_UNREADABLE',
      `Cannot evaluate ${dir}: no gt.txt and no gt/gt.txt in it or below`,
    );
  }
  const sequences: MotSequence[] = [];
  for (const folder of folders) sequences.push(await loadSequence(folder));
  return sequences;
}

async function findSequences(folder: string, depth: number): Promise<string[]> {
  const entries = await listFolder(folder);
  if ((await findFile(folder, TRUTH_FILES)) !== undefined) return [folder];
  if (depth === MAX_DEPTH) return [];
  const found: string[] = [];
  for (const name of entries) found.push(...(await findSequences(join(folder, name), depth + 1)));
  return found;
}

/** Names of the folders in a folder, links included, sorted. */
async function listFolder(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => (entry.isDirectory() || entry.isSymbolicLink()) && !entry.name.startsWith('.'))
      .map(({ name }) => name)
      .sort();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOTDIR') return [];
    throw new NgatuError('FILE_UNREADABLE', `Cannot read folder ${folder}: ${errorMessage(cause)}`, {
      cause,
    });
  }
}

async function findFile(folder: string, candidates: readonly string[]): Promise<string | undefined> {
  for (const candidate of candidates) {
    const names = await readdir(join(folder, candidate, '..')).catch((): string[] => []);
    if (names.includes(basename(candidate))) return join(folder, candidate);
  }
  return undefined;
}

async function loadSequence(folder: string): Promise<MotSequence> {
  const truthFile = (await findFile(folder, TRUTH_FILES)) ?? join(folder, 'gt.txt');
  const truth = await loadMotText(truthFile, { code: 'TRUTH_INVALID', what: 'truth' });
  if (!truth.some(({ id, confidence }) => id !== undefined && confidence !== 0)) {
    throw new NgatuError('TRUTH_INVALID', `Cannot accept truth ${truthFile}: no row in it counts`);
  }
  const detectionFile = await findFile(folder, DETECTION_FILES);
  const detections =
    detectionFile === undefined
      ? undefined
      : await loadMotText(detectionFile, { code: 'DETECTIONS_INVALID', what: 'detections' });
  const info = await loadSequenceInfo(folder);
  const lastFrame = [...truth, ...(detections ?? [])].reduce((last, { frame }) => Math.max(last, frame), 0);
  return {
    name: info.get('name') || basename(folder),
    truth,
    ...(detections === undefined ? {} : { detections }),
    frameRate: readPositive(info, 'frameRate') ?? ASSUMED_FRAME_RATE,
    isFrameRateKnown: readPositive(info, 'frameRate') !== undefined,
    frameCount: Math.max(lastFrame, readPositive(info, 'seqLength') ?? 0),
  };
}

/** The entries of `seqinfo.ini`; none where the file is not there. */
async function loadSequenceInfo(folder: string): Promise<Map<string, string>> {
  const file = await findFile(folder, ['seqinfo.ini']);
  if (file === undefined) return new Map();
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new NgatuError('FILE_UNREADABLE', `Cannot read ${file}: ${errorMessage(cause)}`, { cause });
  });
  return new Map(
    text.split(/\r?\n/).flatMap((line): [string, string][] => {
      const match = /^\s*(\w+)\s*=\s*(.*?)\s*$/.exec(line);
      return match === null ? [] : [[match[1] ?? '', match[2] ?? '']];
    }),
  );
}

function readPositive(info: ReadonlyMap<string, string>, key: string): number | undefined {
  const value = Number(info.get(key));
  return Number.isFinite(value) && value > 0 ? value : undefined;
}
