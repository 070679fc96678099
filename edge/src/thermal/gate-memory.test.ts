import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forAll } from '../testing/seeded-random.ts';
import { FeverDecision } from './fever-decision.ts';
import { decodeGateMemory, encodeGateMemory, type GateMemory } from './gate-memory.ts';
import { GateMemoryFile, loadGateMemory } from './gate-memory-file.ts';

const SITE = { windowReadings: 100, minReadings: 20 };

function learn(readings: number): FeverDecision {
  const decision = new FeverDecision(undefined, SITE);
  for (let i = 0; i < readings; i++)
    decision.learn({ faceMaximum: { celsius: 34.5 + ((i * 7) % 11) / 10, standardC: 0.1 } });
  return decision;
}

function aMemory(decision: FeverDecision): GateMemory {
  return {
    ...{ schemaVersion: 1, fingerprint: 'x', poweredOnMs: 1, lastFrameMs: 2, selfChecks: [] },
    sites: decision.memory,
    tally: { fromMs: 1, passed: 3, measured: 2, refused: { moving: 1 } },
  };
}

describe('what a gate remembers', () => {
  it('decides and learns on as if nothing had happened', () => {
    forAll(20, (random) => {
      const before = learn(25 + random.integer(0, 120));
      const after = new FeverDecision(
        undefined,
        SITE,
        decodeGateMemory(encodeGateMemory(aMemory(before))).sites,
      );
      for (let i = 0; i < 150; i++) {
        const reading = { faceMaximum: { celsius: random.between(34, 37), standardC: 0.1 } };
        expect(after.decide(reading)).toEqual(before.decide(reading));
        before.learn(reading);
        after.learn(reading);
      }
      expect(after.memory).toEqual(before.memory);
    });
  });

  it('is refused with its code wherever a byte is cut or changed', () => {
    const text = encodeGateMemory(aMemory(learn(30)));
    forAll(200, (random) => {
      const at = random.integer(0, text.length - 1);
      const cut = text.slice(0, at);
      const changed = `${cut}${text[at] === '1' ? '2' : '1'}${text.slice(at + 1)}`;
      for (const torn of [cut, changed])
        expect(() => decodeGateMemory(torn)).toThrow(
          expect.objectContaining({ code: 'GATE_MEMORY_INVALID' }),
        );
    });
  });

  it('is refused where it is whole and not ours', () => {
    const odd = { ...aMemory(learn(1)), sites: {} } as unknown as GateMemory;
    expect(() => decodeGateMemory(encodeGateMemory(odd))).toThrow(/\/sites/);
  });
});

describe('the file of it', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ngatu-memory-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('is written whole, and set aside with a warning where it is torn', async () => {
    const codes: string[] = [];
    const logger = pino(
      { level: 'warn' },
      { write: (line: string) => void codes.push(JSON.parse(line).code) },
    );
    const path = join(folder, 'hall.json');
    expect(await loadGateMemory(path, logger)).toBeUndefined();
    const memory = aMemory(learn(40));
    const file = new GateMemoryFile(path, logger);
    await Promise.all([file.save(aMemory(learn(3))), file.save(memory)]);
    expect(await loadGateMemory(path, logger)).toEqual(memory);
    expect(codes).toEqual([]);
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.slice(0, 90));
    expect(await loadGateMemory(path, logger)).toBeUndefined();
    expect(codes).toEqual(['GATE_MEMORY_INVALID']);
    expect(await readFile(`${path}.bad`, 'utf8')).toBe(text.slice(0, 90));
    await new GateMemoryFile(join(folder, 'none', 'hall.json'), logger).save(memory);
    expect(codes).toEqual(['GATE_MEMORY_INVALID', 'PERMISSION_DENIED']);
  });
});
