import { readExportContainer, readExportEntries } from './export-container.ts';
import type { ExportReport } from './export-report.ts';
import { isSame, StoredZipWriter, type ZipEntry } from './stored-zip.ts';
import { type VerifyExportOptions, verifyExport } from './verify-export.ts';

/** What is done to a good export, none of which may pass. */
export const MUTATION_KINDS = [
  'byte-changed',
  'byte-inserted',
  'byte-removed',
  'truncated',
  'entry-removed',
  'entry-inserted',
  'entries-swapped',
  'entries-reordered',
] as const;
export type MutationKind = (typeof MUTATION_KINDS)[number];

export interface MutationTally {
  readonly kind: MutationKind;
  readonly tried: number;
  readonly detected: number;
  /** What passed, for whoever has to find out why; at most 5. */
  readonly passed: readonly string[];
}

export interface MutationOptions extends VerifyExportOptions {
  /** How many single bytes are changed; a tenth as many are inserted, removed and cut off. */
  readonly bytes: number;
  readonly seed: number;
  /** Called now and then with how many of how many are done. */
  readonly onProgress?: (done: number) => void;
}

/** Where the first entry says when it was made; the others say the same. */
const STAMP_OFFSET = 10;

interface Mutation {
  readonly kind: MutationKind;
  readonly what: string;
  make(): Uint8Array;
}

/**
 * Damages a good export in every way it knows and counts what `verifyExport` lets pass. Whole entries are removed, copied in and
 * exchanged (every pair), with directory and checksums made right again, as whoever has a ZIP program but no key would do it.
 * @throws RangeError where the export does not verify to begin with
 */
export async function runMutationCampaign(
  bytes: Uint8Array,
  options: MutationOptions,
): Promise<MutationTally[]> {
  const sound = await verifyExport(bytes, options);
  if (sound.verdict === 'failed') throw new RangeError('the export does not verify before it is damaged');
  const tallies = new Map(
    MUTATION_KINDS.map((kind) => [kind, { kind, tried: 0, detected: 0, passed: [] as string[] }]),
  );
  const brief = { ...options, isBrief: true };
  let done = 0;
  for (const mutation of [...listByteMutations(bytes, options), ...listEntryMutations(bytes)]) {
    const report: ExportReport = await verifyExport(mutation.make(), brief);
    const tally = tallies.get(mutation.kind);
    if (tally === undefined) continue;
    tally.tried += 1;
    if (report.verdict === 'failed') tally.detected += 1;
    else if (tally.passed.length < 5) tally.passed.push(mutation.what);
    done += 1;
    if (done % 100 === 0) options.onProgress?.(done);
  }
  return [...tallies.values()];
}

function* listByteMutations(bytes: Uint8Array, { bytes: count, seed }: MutationOptions): Generator<Mutation> {
  const random = createRandom(seed);
  const pick = (limit: number): number => Math.floor(random() * limit);
  for (let index = 0; index < count; index++) {
    const at = pick(bytes.length);
    const by = 1 + pick(255);
    yield { kind: 'byte-changed', what: `byte ${at} by ${by}`, make: () => changeByte(bytes, at, by) };
  }
  for (let index = 0; index < Math.ceil(count / 10); index++) {
    const at = pick(bytes.length + 1);
    const value = pick(256);
    const cut = pick(bytes.length);
    yield { kind: 'byte-inserted', what: `${value} at ${at}`, make: () => splice(bytes, at, 0, [value]) };
    yield { kind: 'byte-removed', what: `byte ${cut}`, make: () => splice(bytes, cut, 1, []) };
    yield { kind: 'truncated', what: `to ${cut} bytes`, make: () => bytes.slice(0, cut) };
  }
}

function* listEntryMutations(bytes: Uint8Array): Generator<Mutation> {
  const container = readExportContainer(bytes);
  const entries = [...readExportEntries(bytes, container)].map(
    ([path, content]): ZipEntry => ({ path, bytes: content }),
  );
  const stamp = new DataView(bytes.buffer, bytes.byteOffset).getUint32(STAMP_OFFSET, true);
  const rebuild = (changed: readonly ZipEntry[]) => () => writeZip(changed, stamp, container.comment);
  for (const [index, entry] of entries.entries()) {
    const others = entries.filter((_, place) => place !== index);
    yield { kind: 'entry-removed', what: entry.path, make: rebuild(others) };
    const copy = { path: `extra/${entry.path}`, bytes: entry.bytes };
    yield { kind: 'entry-inserted', what: entry.path, make: rebuild([...entries, copy]) };
    for (const other of entries.slice(index + 1)) {
      // what is the same in both places is not exchanged
      if (isSame(entry.bytes, other.bytes)) continue;
      const swapped = entries.map((kept) => {
        if (kept === entry) return { path: entry.path, bytes: other.bytes };
        return kept === other ? { path: other.path, bytes: entry.bytes } : kept;
      });
      yield { kind: 'entries-swapped', what: `${entry.path} ↔ ${other.path}`, make: rebuild(swapped) };
    }
    if (index > 0)
      yield { kind: 'entries-reordered', what: `${entry.path} first`, make: rebuild([entry, ...others]) };
  }
}

function writeZip(entries: readonly ZipEntry[], stamp: number, comment: string): Uint8Array {
  const writer = new StoredZipWriter(stamp);
  const parts = [...entries.flatMap((entry) => writer.add(entry)), writer.finish(comment)];
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function changeByte(bytes: Uint8Array, at: number, by: number): Uint8Array {
  const changed = bytes.slice();
  changed[at] = ((changed[at] ?? 0) + by) & 0xff;
  return changed;
}

function splice(bytes: Uint8Array, at: number, removed: number, inserted: readonly number[]): Uint8Array {
  const changed = new Uint8Array(bytes.length - removed + inserted.length);
  changed.set(bytes.subarray(0, at));
  changed.set(inserted, at);
  changed.set(bytes.subarray(at + removed), at + inserted.length);
  return changed;
}

/** Mulberry32: the same seed gives the same damage. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
