import type { FuzzRandom } from './fuzz-random.ts';
import { HOSTILE_WORDS } from './fuzz-text.ts';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Branch = Json[] | { [key: string]: Json };

/** Written into the text as they stand, because JSON.stringify would not: the marks are replaced after it. */
const RAW = [
  'NaN',
  'Infinity',
  '-Infinity',
  '1e999',
  '-1e999',
  '1e400',
  '-0',
  '01',
  '"\\ud800"',
  '"\\u0000"',
] as const;
const MARK = '\u0007raw';
const NUMBERS = [
  0,
  -1,
  1,
  0.5,
  1e308,
  -1e308,
  5e-324,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  2 ** 63,
  -(2 ** 53),
  1e21,
] as const;
const POLLUTION = ['__proto__', 'constructor', 'prototype', 'toString', 'valueOf', 'toJSON'] as const;
const MAX_DEPTH = 400;
const MAX_REPEATS = 300;
/** A word does not grow past this by being repeated: several changes of one place would multiply. */
const MAX_WORD_CHARS = 20_000;

function isBranch(value: Json | undefined): value is Branch {
  return typeof value === 'object' && value !== null;
}

/** Walks down at random; an object or list that is not empty, where there is one. */
function pickBranch(root: Branch, random: FuzzRandom): Branch {
  let place = root;
  for (;;) {
    const branches = Object.values(place).filter((value) => isBranch(value) && Object.keys(value).length > 0);
    const next = branches[random.below(branches.length)];
    if (!isBranch(next) || random.unit() < 0.25) return place;
    place = next;
  }
}

function set(branch: Branch, key: string, value: Json): void {
  // a plain assignment to __proto__ would change the prototype of this very object
  Object.defineProperty(branch, key, { value, enumerable: true, configurable: true, writable: true });
}

function nest(depth: number, random: FuzzRandom): Json {
  let value: Json = random.pick<Json>([1, '', null]);
  const asList = random.unit() < 0.5;
  for (let i = 0; i < depth; i++) value = asList ? [value] : { a: value };
  return value;
}

function drawValue(random: FuzzRandom, old: Json): Json {
  switch (random.below(9)) {
    case 0:
      return random.pick(NUMBERS);
    case 1:
      return random.pick(HOSTILE_WORDS);
    case 2:
      return `${MARK}${random.pick(RAW)}`;
    case 3:
      return random.pick<Json>([null, true, false, [], {}, '', 0]);
    case 4:
      return nest(1 + random.below(MAX_DEPTH), random);
    case 5:
      return typeof old === 'number' ? old * random.pick([-1, 10, 1e6, 1e-6, 0.999]) : [old];
    case 6:
      return typeof old === 'string' ? mutateWord(old, random) : { a: old };
    case 7:
      return JSON.parse(`{"${random.pick(POLLUTION)}":{"polluted":true}}`);
    default:
      return typeof old === 'string' ? Number(old) || 0 : JSON.stringify(old);
  }
}

function mutateWord(word: string, random: FuzzRandom): string {
  const at = random.below(word.length + 1);
  return random.pick([
    word.slice(0, at) + random.pick(HOSTILE_WORDS) + word.slice(at),
    word.slice(0, at),
    word.repeat(1 + random.below(Math.min(40, MAX_WORD_CHARS / Math.max(1, word.length)))),
    word.toUpperCase(),
    `${word} `,
    word.slice(0, at) + String.fromCharCode(random.below(0x2_000)) + word.slice(at + 1),
  ]);
}

/** Changes one place of a tree in place. */
function mutateOnce(root: Branch, random: FuzzRandom): void {
  const branch = pickBranch(root, random);
  const keys = Object.keys(branch);
  const key = keys[random.below(keys.length)] ?? 'a';
  const old = (branch as Record<string, Json>)[key] ?? null;
  const action = random.below(10);
  if (action < 5) set(branch, key, drawValue(random, old));
  else if (action === 5) Reflect.deleteProperty(branch, key);
  else if (action === 6 && !Array.isArray(branch)) {
    set(branch, random.pick([...POLLUTION, ...HOSTILE_WORDS, `${key}x`]), drawValue(random, old));
  } else if (action === 7 && Array.isArray(branch)) {
    const most = isBranch(old) || typeof old === 'string' ? MAX_REPEATS / 10 : MAX_REPEATS;
    const copies = Array.from({ length: 1 + random.below(most) }, () => old);
    branch.splice(random.below(branch.length + 1), 0, ...copies);
  } else if (action === 8) {
    const other = keys[random.below(keys.length)] ?? key;
    const kept = (branch as Record<string, Json>)[other] ?? null;
    set(branch, other, old);
    set(branch, key, kept);
  } else if (Array.isArray(branch)) branch.reverse();
  else set(branch, key, drawValue(random, old));
}

/**
 * Changes a JSON document by its structure: values of another kind, numbers at limits, names of prototypes, lists of many, deep
 * nesting, numbers that JSON does not know. `undefined` where the text is no document.
 */
export function mutateJson(text: string, random: FuzzRandom): string | undefined {
  let root: Json;
  try {
    root = JSON.parse(text) as Json;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (!isBranch(root)) return undefined;
  for (let times = 1 + random.below(4); times > 0; times--) mutateOnce(root, random);
  const changed = JSON.stringify(root);
  return changed.includes('\\u0007raw')
    ? changed.replaceAll(/"\\u0007raw((?:[^"\\]|\\.)*)"/g, (_, raw: string) => JSON.parse(`"${raw}"`))
    : changed;
}
