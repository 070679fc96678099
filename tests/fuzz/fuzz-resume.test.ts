import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { UntrustedParser } from '@ngatu/contract';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runFuzzCampaign } from '../../benchmarks/src/fuzz-campaign.ts';
import { FuzzRecord } from '../../benchmarks/src/fuzz-record.ts';

/** A worker that notes whom it tried; a parser throws as long as there is a file of its name beside it. */
const WORKER = `
import { appendFileSync, existsSync } from 'node:fs';
const [folder, name, text] = process.argv.slice(2);
const { from, to } = JSON.parse(text);
appendFileSync(folder + '/tried', name + '\\n');
const findings = existsSync(folder + '/' + name) ? [{ kind: 'throw', index: 3, what: 'a defect' }] : [];
const figures = { taken: 0, refused: {}, slowestMs: 1, loopDelayMs: 1, memory: [], findings };
process.send({ report: { done: to - from, ...figures }, isWhole: true }, () => process.exit(0));
`;

const parserOf = (name: string): UntrustedParser => ({
  ...{ name, covers: [], source: 'a test', form: 'json', pace: 'process' },
  open: async () => ({ samples: [], parse: () => undefined }),
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ngatu-fuzz-resume-'));
  writeFileSync(join(folder, 'worker.mjs'), WORKER);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a campaign and says who was tried in it. */
async function run(names: readonly string[], { seed = 1, goal = 10 } = {}) {
  const tried = join(folder, 'tried');
  writeFileSync(tried, '');
  const results = await runFuzzCampaign(
    {
      ...{ parsers: names.map(parserOf), seed, countFor: () => goal, parallel: 1 },
      worker: [process.execPath, join(folder, 'worker.mjs'), folder],
      findingsDir: join(folder, 'findings'),
      record: new FuzzRecord(join(folder, 'record')),
      say: () => undefined,
    },
    new AbortController().signal,
  );
  return { results, tried: readFileSync(tried, 'utf8').split('\n').slice(0, -1) };
}

describe('a campaign that is run in parts', () => {
  it('tries each parser once, and tells of all', async () => {
    expect((await run(['a', 'b'])).tried).toEqual(['a', 'b']);
    const { results, tried } = await run(['a', 'b', 'c']);
    expect(tried).toEqual(['c']);
    expect(results.map(({ parser, mutations, holds }) => [parser, mutations, holds])).toEqual([
      ['a', 10, true],
      ['b', 10, true],
      ['c', 10, true],
    ]);
    expect(readdirSync(join(folder, 'record')).sort()).toEqual(['a.json', 'b.json', 'c.json']);
  });

  it('tries again what did not hold, and what was tried otherwise', async () => {
    appendFileSync(join(folder, 'b'), '');
    expect((await run(['a', 'b'])).results.map(({ holds }) => holds)).toEqual([true, false]);
    expect(existsSync(join(folder, 'findings', 'b-1-3.txt'))).toBe(true);
    rmSync(join(folder, 'b'));
    expect(await run(['a', 'b'])).toMatchObject({
      tried: ['b'],
      results: [{ holds: true }, { holds: true }],
    });
    expect((await run(['a', 'b'], { seed: 2 })).tried).toEqual(['a', 'b']);
    expect((await run(['a', 'b'], { seed: 2, goal: 20 })).tried).toEqual(['a', 'b']);
    expect((await run(['a', 'b'], { seed: 2, goal: 20 })).tried).toEqual([]);
  });
});
