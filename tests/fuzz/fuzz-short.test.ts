import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildMutation } from '../../benchmarks/src/fuzz-mutation.ts';
import { FUZZ_LIMIT_MS } from '../../benchmarks/src/fuzz-verdict.ts';
import { runFuzzTask } from '../../benchmarks/src/fuzz-worker.ts';
import { loadUntrustedParsers } from '../../cli/src/fuzz-parsers.ts';

const SEED = 20_250_101;
/** What is tried here of the campaign (`npx ngatu fuzz`): as many as fit into the time of each parser. */
const SHORT = {
  process: { mutations: 3_000, budgetMs: 100, limitMs: FUZZ_LIMIT_MS.process },
  // how long a child process takes is judged by the campaign, on a machine that does nothing else
  media: { mutations: 1, budgetMs: 2_000, limitMs: 50_000 },
  model: { mutations: 1, budgetMs: 2_000, limitMs: 50_000 },
} as const;
const EXTREME_BYTES = 64 * 1024;

const parsers = await loadUntrustedParsers();
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ngatu-fuzz-short-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe(`hostile input under seed ${SEED}`, () => {
  it.each(parsers)('is answered by $name', async (parser) => {
    const { mutations, ...limits } = SHORT[parser.pace];
    // samples and extremes of what starts a program for each are left to the campaign
    const from = parser.pace === 'process' ? 0 : 1;
    const progressFile = join(folder, 'progress');
    const range = { seed: SEED, from, to: from + mutations };
    const task = { ...range, ...limits, progressFile, extremeBytes: EXTREME_BYTES };
    const report = await runFuzzTask(parser, task, () => undefined);
    const told = report.findings.map(({ kind, index, what }) => `${kind} at ${index}: ${what}`);
    expect(told).toEqual([]);
    expect(report.done).toBeGreaterThan(0);
  });
});

describe('a mutation', () => {
  const samples = [Buffer.from('{"a":[1,2,{"b":"c"}]}'), Buffer.from('{"d":null}')];
  const source = { parser: 'sample', form: 'json', samples, seed: 7 } as const;

  it('is the same for the same seed and number, and another for others', () => {
    expect(buildMutation(source, 41)).toEqual(buildMutation(source, 41));
    const made = new Set(
      Array.from({ length: 500 }, (_, index) => buildMutation(source, index).toString('hex')),
    );
    expect(made.size).toBeGreaterThan(400);
    const other = Array.from({ length: 500 }, (_, index) =>
      buildMutation({ ...source, seed: 8 }, index).toString('hex'),
    );
    expect(other.filter((each) => made.has(each)).length).toBeLessThan(250);
  });
});

describe('a campaign', () => {
  const open = async () => ({ samples: [Buffer.from('{"a":1}')] });
  const bad = { name: 'bad', covers: [], source: 'nobody', form: 'json', pace: 'process' } as const;
  const run = (parse: (input: Uint8Array) => string | undefined, to = 300, from = 0) => {
    const task = { seed: 1, from, to, progressFile: join(folder, 'bad'), limitMs: 60 };
    return runFuzzTask({ ...bad, open: async () => ({ ...(await open()), parse }) }, task, () => undefined);
  };

  it('finds what throws another error, and keeps its input', async () => {
    const { findings } = await run((input) => {
      JSON.parse(Buffer.from(input).toString());
      return undefined;
    });
    expect(findings[0]?.kind).toBe('throw');
    expect(findings[0]?.what).toContain('SyntaxError');
    expect(findings[0]?.inputBase64).toBeDefined();
  });

  it('finds what is slow, also when it is tried again', async () => {
    const { findings } = await run(
      () => {
        const begun = process.cpuUsage();
        while (process.cpuUsage(begun).user < 80_000);
        return undefined;
      },
      2,
      1,
    );
    expect(findings.map(({ kind }) => kind)).toContain('slow');
  });

  it('finds a prototype that was changed', async () => {
    const { findings } = await run(() => {
      Object.defineProperty(Object.prototype, 'polluted', { value: 1, configurable: true });
      return undefined;
    }, 1);
    Reflect.deleteProperty(Object.prototype, 'polluted');
    expect(findings.map(({ kind }) => kind)).toContain('pollution');
  });

  it('finds a sample that is refused', async () => {
    const { findings } = await run(() => 'REFUSED', 1);
    expect(findings.map(({ kind }) => kind)).toContain('sample');
  });
});
