import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../testing/seeded-random.ts';
import { PLATE_ALPHABET } from './plate-belief.ts';
import { CtcLine, LinesBelief } from './plate-ctc.ts';

const COUNT = PLATE_ALPHABET.length;

/** `A1_1` → steps that are sure of these characters; `_` is none. */
function aLine(path: string, sure = 0.97): CtcLine {
  const values = new Float32Array(path.length * COUNT).fill((1 - sure) / (COUNT - 1));
  for (const [step, character] of [...path].entries())
    values[step * COUNT + PLATE_ALPHABET.indexOf(character)] = sure;
  return new CtcLine(values);
}

describe('a line of characters', () => {
  it('shares its probability out among all texts', () => {
    const random = new SeededRandom(5);
    const values = new Float32Array(3 * COUNT);
    for (let step = 0; step < 3; step++) {
      const share = Array.from({ length: COUNT }, (_, index) =>
        index < 2 || index === COUNT - 1 ? random.next() : 0,
      );
      const sum = share.reduce((a, b) => a + b);
      for (const [index, value] of share.entries()) values[step * COUNT + index] = value / sum;
    }
    const line = new CtcLine(values);
    const texts = ['', '0', '1', '00', '01', '10', '11'];
    for (const a of '01') for (const b of '01') for (const c of '01') texts.push(a + b + c);
    const total = texts.reduce((sum, text) => sum + Math.exp(line.weigh(text)), 0);
    expect(total).toBeGreaterThan(0.98);
    expect(total).toBeLessThanOrEqual(1.0001);
  });

  it('wants an empty step between two equal characters', () => {
    expect(aLine('A1_12').search(1)[0]?.text).toBe('A112');
    expect(aLine('A112_').search(1)[0]?.text).toBe('A12');
  });

  it('finds the likeliest text of a grammar with the probability that weighing gives it', () => {
    const line = aLine('D1_2', 0.7);
    const [found] = line.search(1, ['0123456789', '0123456789', '0123456789']);
    expect(found?.text).toMatch(/^\d12$/);
    expect(found?.log ?? 0).toBeCloseTo(line.weigh(found?.text ?? ''), 1);
  });

  it('joins two lines wherever the upper one ends', () => {
    const lines = new LinesBelief([aLine('5_9M_D1'), aLine('1_23_4_5')]);
    expect(lines.propose(3)[0]?.text).toBe('59MD112345');
    const places = [...'59MD'].concat(Array.from({ length: 6 }, () => '0123456789'));
    expect(lines.proposeWithin(places)?.text).toBe('59MD112345');
    expect(lines.weigh('59MD112345')).toBeGreaterThan(lines.weigh('59MD12345') + 2);
  });
});
