import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadUntrustedParsers } from '../../cli/src/fuzz-parsers.ts';
import { parseSource, ROOT } from '../source/source-tree.ts';
import { EXCLUDED, listExportedParsers, loadParserSources } from './parser-registry.ts';

const parsers = await loadUntrustedParsers();
const covered = new Set(parsers.flatMap(({ covers }) => covers));

describe('parsers of untrusted input', () => {
  it('are all tried by `ngatu fuzz`, or left out for a reason that is written down', () => {
    const unknown = listExportedParsers(loadParserSources()).filter(
      (name) => !covered.has(name) && EXCLUDED[name] === undefined,
    );
    expect(unknown).toEqual([]);
  });

  it('have names of their own, and say who may send them input', () => {
    const names = parsers.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(parsers.filter(({ source }) => source.length < 5)).toEqual([]);
    expect(parsers.length).toBeGreaterThan(50);
  });

  it('name functions and classes that are there', () => {
    const missing = [...covered, ...Object.keys(EXCLUDED)].filter((place) => {
      const [file = '', name = ''] = place.split('#');
      const path = join(ROOT, file);
      if (!existsSync(path)) return true;
      return !new RegExp(`^export (async )?(function\\*?|class|const) ${name}\\b`, 'm').test(
        readFileSync(path, 'utf8'),
      );
    });
    expect(missing).toEqual([]);
  });

  it('would see a new one', () => {
    const text =
      'export function decodeNothing(bytes: Uint8Array): void {}\nexport const parseIt = () => 1;\nfunction readIt() {}\n';
    const file = parseSource('edge/src/camera/new-file.ts', text);
    expect(listExportedParsers([file])).toEqual([
      'edge/src/camera/new-file.ts#decodeNothing',
      'edge/src/camera/new-file.ts#parseIt',
    ]);
  });
});
