import type { InputForm } from '@ngatu/contract';
import { mutateBytes } from './fuzz-bytes.ts';
import { createFuzzRandom, type FuzzRandom } from './fuzz-random.ts';
import { mutateText } from './fuzz-text.ts';
import { mutateJson } from './fuzz-tree.ts';

export interface MutationSource {
  readonly parser: string;
  readonly form: InputForm;
  readonly samples: readonly Uint8Array[];
  readonly seed: number;
}

/** An input grows to this at most, or to four times its sample, bytes. */
const LEAST_LIMIT_BYTES = 64 * 1024;
/** How often structure is changed and not bytes, by form. */
const STRUCTURED: Readonly<Record<InputForm, number>> = { json: 0.75, text: 0.65, binary: 0 };
const SPLICED = 0.04;

/** Mutation `index` of a parser under a seed: always the same bytes, of whatever came before. */
export function buildMutation({ parser, form, samples, seed }: MutationSource, index: number): Buffer {
  const random = createFuzzRandom(seed, parser, index);
  const sample = samples[random.below(samples.length)] ?? new Uint8Array();
  const maxBytes = Math.max(LEAST_LIMIT_BYTES, sample.length * 4);
  if (random.unit() < SPLICED) return splice(sample, samples, random).subarray(0, maxBytes);
  if (random.unit() >= STRUCTURED[form]) return mutateBytes(sample, random, maxBytes);
  const text = Buffer.from(sample.buffer, sample.byteOffset, sample.byteLength).toString('utf8');
  const changed = (form === 'json' ? mutateJson(text, random) : undefined) ?? mutateText(text, random);
  return Buffer.from(changed, 'utf8').subarray(0, maxBytes);
}

/** The begin of one sample and the end of another. */
function splice(sample: Uint8Array, samples: readonly Uint8Array[], random: FuzzRandom): Buffer {
  const other = samples[random.below(samples.length)] ?? sample;
  return Buffer.concat([
    sample.subarray(0, random.below(sample.length + 1)),
    other.subarray(random.below(other.length + 1)),
  ]);
}

/** What every parser of a form meets once, of `size` bytes and about that: nothing, nesting without end, one endless line, zeros, ones. */
export function buildExtremes(form: InputForm, size: number): Buffer[] {
  const always = [Buffer.alloc(0), Buffer.alloc(size), Buffer.alloc(size, 0xff), Buffer.from('\ufeff')];
  if (form === 'binary') return always;
  const text = [
    '['.repeat(size),
    `${'['.repeat(size / 4)}${']'.repeat(size / 4)}`,
    `${'{"a":'.repeat(size / 8)}1${'}'.repeat(size / 8)}`,
    `"${'a'.repeat(size)}"`,
    '1 '.repeat(size / 2),
    '1,'.repeat(size / 2),
    `[${'1,'.repeat(size / 4)}1]`,
    `{${Array.from({ length: size / 32 }, (_, i) => `"k${i}":${i}`).join()}}`,
    '- '.repeat(size / 64),
    '\n'.repeat(size),
    ' '.repeat(size),
    'a'.repeat(size),
    '"'.repeat(size),
  ];
  return [...always, ...text.map((each) => Buffer.from(each))];
}
