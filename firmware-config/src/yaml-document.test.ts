import { describe, expect, it } from 'vitest';
import { LineCounter, parseDocument } from 'yaml';
import { parseBoundedYaml } from './yaml-document.ts';

const parse = (text: string): unknown => parseBoundedYaml(text, new LineCounter()).toJS();

describe('parseBoundedYaml', () => {
  it.each([
    ['a map', 'a: 1\nb:\n  - c\n  - { d: [1, 2] }\n'],
    ['nothing', ''],
    ['comments alone', '# a\n# b\n'],
    ['a reference', 'a: &x [1]\nb: *x\n'],
    ['a text', '|\n a\n  b\n'],
    ['a begin and an end', '---\na: 1\n...\n'],
  ])('reads %s as the library does', (_, text) => {
    expect(parse(text)).toEqual(parseDocument(text).toJS());
  });

  it('finds the same errors at the same places', () => {
    const text = 'a: [1, 2\nb: }\n';
    const places = ({ errors }: { errors: { code: string; pos: readonly number[] }[] }) =>
      errors.map(({ code, pos }) => [code, ...pos]);
    const counter = new LineCounter();
    expect(places(parseBoundedYaml(text, counter))).toEqual(
      places(parseDocument(text, { prettyErrors: false })),
    );
    expect(counter.linePos(9)).toEqual({ line: 2, col: 1 });
  });

  it.each([
    ['brackets', '['.repeat(100_000)],
    ['braces', '{a: '.repeat(50_000)],
    ['dashes', '- '.repeat(50_000)],
    ['indentation', Array.from({ length: 2_000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
  ])('refuses %s without end before the stack is used up', (_, text) => {
    expect(() => parse(text)).toThrow(/^line \d+: it is nested deeper than 64 levels$/);
  });

  it('refuses more words than any file of ours has', () => {
    expect(() => parse(`[${'1,'.repeat(60_000)}1]`)).toThrow('more than 30000 words and marks');
  });

  it('names so many places of a text that is wrong at every word, and no more', () => {
    const { errors } = parseBoundedYaml('] '.repeat(9_000), new LineCounter());
    expect(errors).toHaveLength(100);
    expect(errors[0]?.pos[0]).toBe(0);
  });

  it('refuses several documents in one file', () => {
    expect(() => parse('a: 1\n---\nb: 2\n')).toThrow('several documents');
  });
});
