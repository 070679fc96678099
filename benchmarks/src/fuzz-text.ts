import type { FuzzRandom } from './fuzz-random.ts';

/** Words that parsers trip over: numbers that are none, limits, other scripts, overlong forms, names of prototypes. */
export const HOSTILE_WORDS = [
  'NaN',
  'Infinity',
  '-Infinity',
  '1e999',
  '-1e999',
  '-0',
  '0x10',
  '1_000',
  '9007199254740993',
  '99999999999999999999999999',
  '0.0000000000000000000000001',
  '-1',
  '',
  ' ',
  '\0',
  '\u0000\u0001',
  '\ufeff',
  '\u202e',
  '\ud800',
  'é́́́',
  '٣',
  '１２',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '../../../etc/passwd',
  '%s%n%00',
  "'; DROP TABLE event; --",
  '<script>alert(1)</script>',
  'null',
  'undefined',
  'true',
  '2024-13-45T99:99:99.999Z',
  '+275760-09-13T00:00:00.001Z',
  '[',
  '{',
  '"',
  ',',
  ';',
  ':',
  '\t',
  '\r\n',
  '\n\n\n',
  '#',
  '&a',
  '*a',
  '!!js/function',
  '<<: *a',
  'ａ'.repeat(64),
  'A'.repeat(4_096),
  '9'.repeat(400),
  '('.repeat(2_000),
] as const;

const MAX_REPEATS = 64;

type LineMutation = (lines: string[], random: FuzzRandom) => void;

const lineMutations: readonly [LineMutation, ...LineMutation[]] = [
  (lines, random) => lines.splice(random.below(lines.length), 1),
  (lines, random) => {
    const line = lines[random.below(lines.length)] ?? '';
    const copies = Array.from({ length: 1 + random.below(MAX_REPEATS) }, () => line);
    lines.splice(random.below(lines.length + 1), 0, ...copies);
  },
  (lines, random) => {
    const [a, b] = [random.below(lines.length), random.below(lines.length)];
    [lines[a], lines[b]] = [lines[b] ?? '', lines[a] ?? ''];
  },
  (lines, random) => lines.splice(random.below(lines.length + 1), 0, random.pick(HOSTILE_WORDS)),
  (lines, random) => {
    const at = random.below(lines.length);
    lines[at] = `${' '.repeat(1 + random.below(12))}${lines[at] ?? ''}`;
  },
  (lines, random) => lines.splice(random.below(lines.length)),
];

/** A run of letters and digits becomes a hostile word, another word of the text, or is repeated. */
function replaceToken(text: string, random: FuzzRandom): string {
  const from = random.below(text.length);
  const window = text.slice(from, from + 400);
  const token = /[\w.+-]+/.exec(window);
  if (token === null) return `${text.slice(0, from)}${random.pick(HOSTILE_WORDS)}${text.slice(from)}`;
  const at = from + token.index;
  const [word] = token;
  const others = /[\w.+-]+/.exec(text.slice(random.below(text.length)))?.[0] ?? '';
  const made = random.pick([
    random.pick(HOSTILE_WORDS),
    random.pick(HOSTILE_WORDS),
    others,
    word.repeat(2 + random.below(6)),
    String((random.unit() - 0.5) * 10 ** random.below(40)),
    String(random.below(100_000) - 50),
  ]);
  return text.slice(0, at) + made + text.slice(at + word.length);
}

/** Changes lines and words of a text; other bytes stay. */
export function mutateText(text: string, random: FuzzRandom): string {
  let changed = text;
  for (let times = 1 + random.below(4); times > 0; times--) {
    if (random.unit() < 0.6) {
      changed = replaceToken(changed, random);
      continue;
    }
    const end = changed.includes('\r\n') ? '\r\n' : '\n';
    const lines = changed.split(end);
    random.pick(lineMutations)(lines, random);
    changed = lines.join(random.unit() < 0.03 ? '\r' : end);
  }
  return changed;
}
