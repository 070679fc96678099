import { NgatuError } from '@ngatu/contract';
import { expect, it } from 'vitest';
import { encodeCanonicalJson } from './canonical-json.ts';

const textOf = (value: unknown): string => new TextDecoder().decode(encodeCanonicalJson(value));

it('writes numbers, texts and names as RFC 8785 section 3.2.2 and 3.2.3 show', () => {
  expect(
    textOf({
      numbers: [Number('333333333.33333329'), 1e30, 4.5, 2e-3, 0.000000000000000000000000001, -0],
      string: '€$\u000F\u000aA\'\u0042\u0022\u005c\\"/',
      literals: [null, true, false],
    }),
  ).toBe(
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27,0],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  );
  // sorted by UTF-16 code units, not by code points
  expect(
    textOf({ '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 }),
  ).toBe('{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb33":3}');
});

it('leaves out what is undefined, and keeps what only looks like a method', () => {
  expect(textOf({ a: undefined, b: [1] })).toBe('{"b":[1]}');
  expect(textOf(JSON.parse('{"toJSON":"x","__proto__":1}'))).toBe('{"__proto__":1,"toJSON":"x"}');
});

it.each<[string, unknown]>([
  ['a number that is not finite', { a: Number.NaN }],
  ['half a character', { a: '\ud800' }],
  ['half a character in a name', { '\udc00': 1 }],
  ['a hole in a list', [undefined]],
  ['a function', () => 1],
  ['a nesting without end', JSON.parse('['.repeat(5_000) + ']'.repeat(5_000))],
])('refuses %s', (_name, value) => {
  expect(() => encodeCanonicalJson(value)).toThrow(NgatuError);
});
