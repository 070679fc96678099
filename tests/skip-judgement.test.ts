import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AssetStore } from '@ngatu/models';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const SCRIPT = pathToFileURL(join(ROOT, 'scripts', 'test.mjs')).href;

/** Calls a function of scripts/test.mjs, which is plain JavaScript without types. */
function call(name: string, ...args: unknown[]): unknown {
  const list = args.map((arg) =>
    arg instanceof Set ? `new Set(${JSON.stringify([...arg])})` : JSON.stringify(arg),
  );
  const script = `const m = await import('${SCRIPT}'); console.log(JSON.stringify(m.${name}(${list.join(',')})));`;
  return JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }),
  );
}

describe('npm test', () => {
  const allowed = { 'a > b': { needs: ['hanoi'], reason: 'needs the Hanoi video' } };

  it('lets a test be skipped only by name and only where its asset is absent', () => {
    expect(call('judgeSkips', ['a > b'], allowed, new Set(['hanoi']))).toEqual({ skipped: 1, offences: [] });
    expect(call('judgeSkips', ['a > b'], allowed, new Set())).toEqual({ skipped: 0, offences: ['a > b'] });
    const group = { 'a > *': allowed['a > b'] };
    expect(call('judgeSkips', ['a > c'], group, new Set(['hanoi']))).toEqual({ skipped: 1, offences: [] });
    expect(call('judgeSkips', ['b > c'], group, new Set(['hanoi']))).toEqual({
      skipped: 0,
      offences: ['b > c'],
    });
    expect(call('judgeSkips', ['a > c'], allowed, new Set(['hanoi']))).toEqual({
      skipped: 0,
      offences: ['a > c'],
    });
  });

  it('counts tests by their outcome, and a file that could not be loaded as a failure', () => {
    const test = (status: string) => ({ status, title: status, ancestorTitles: ['group'] });
    const report = {
      testResults: [
        {
          status: 'passed',
          assertionResults: [test('passed'), test('passed'), test('pending'), test('todo')],
        },
        { status: 'failed', assertionResults: [test('failed'), test('passed')] },
        { status: 'failed', assertionResults: [] },
      ],
    };
    expect(call('readReport', report)).toEqual({
      passed: 3,
      failed: 2,
      skippedNames: ['group > pending', 'group > todo'],
    });
  });

  it('allows no skip for what is neither an asset nor a folder of data', () => {
    const names = new AssetStore().list().map((asset) => asset.name);
    const list = JSON.parse(readFileSync(join(ROOT, 'tests/allowed-skips.json'), 'utf8'));
    for (const entry of Object.values<{ needs: string[]; reason: string }>(list)) {
      expect(entry.reason).not.toBe('');
      for (const need of entry.needs) {
        if (need.includes('/')) expect(need).toMatch(/^datasets\/[a-z0-9-]+$/);
        else expect(names).toContain(need);
      }
    }
  });
});
