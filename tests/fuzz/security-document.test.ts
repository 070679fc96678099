import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../source/source-tree.ts';

const text = readFileSync(join(ROOT, 'SECURITY.md'), 'utf8');
const arrows = text.split(/^### /m).slice(1);

describe('SECURITY.md', () => {
  it('names tests that are there', () => {
    const named = [...text.matchAll(/`([\w./-]+\.test\.ts)`/g)].map(([, path = '']) => path);
    expect(named.length).toBeGreaterThan(30);
    expect([...new Set(named)].filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it('judges each arrow of the data flow, and each by all six letters', () => {
    const drawn = new Set([...text.matchAll(/\((\d+)\)[ ─]/g)].map(([, number]) => Number(number)));
    expect(arrows.map((arrow) => Number(/^\((\d+)\)/.exec(arrow)?.[1]))).toEqual(
      [...drawn].sort((a, b) => a - b),
    );
    for (const arrow of arrows) {
      const letters = [...arrow.matchAll(/^\| ([STRIDE, ]+) \|/gm)].flatMap(([, list = '']) =>
        list.split(', '),
      );
      expect([...new Set(letters)].sort().join(''), arrow.split('\n')[0]).toBe('DEIRST');
    }
  });

  it('says what is not covered', () => {
    expect(text).toContain('## Not covered');
  });
});
