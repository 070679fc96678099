import { describe, expect, it } from 'vitest';
import { PLATE_ALPHABET, poolBeliefs, SlotBelief } from './plate-belief.ts';

const COUNT = PLATE_ALPHABET.length;
const POOL = { grammars: [], power: 1, prior: () => 0, count: 8 } as const;

/** Ten slots that are sure of a text; `doubts` gives the second choice of a place. */
function aBelief(text: string, doubts: Readonly<Record<number, string>> = {}): SlotBelief {
  const values = new Float32Array(10 * COUNT);
  for (const [slot, character] of [...text.padEnd(10, '_')].entries()) {
    const other = doubts[slot];
    values[slot * COUNT + PLATE_ALPHABET.indexOf(character)] = other === undefined ? 1 : 0.55;
    if (other !== undefined) values[slot * COUNT + PLATE_ALPHABET.indexOf(other)] = 0.45;
  }
  return new SlotBelief(values);
}

describe('what readers believe', () => {
  it('proposes the likeliest texts first, and weighs them as it proposes them', () => {
    const belief = aBelief('30A12345', { 3: '7' });
    const [first, second] = belief.propose(4);
    expect(first?.text).toBe('30A12345');
    expect(second?.text).toBe('30A72345');
    for (const { text, log } of belief.propose(4)) expect(log).toBeCloseTo(belief.weigh(text), 9);
  });

  it('thinks of a shorter text where the last slot may be empty', () => {
    const texts = aBelief('30A12345', { 7: '_' })
      .propose(3)
      .map(({ text }) => text);
    expect(texts).toContain('30A1234');
  });

  it('keeps to a grammar', () => {
    const places = [
      '0123456789',
      '0123456789',
      'AB',
      '0123456789',
      '0123456789',
      '0123456789',
      '0123456789',
      '0123456789',
    ];
    expect(aBelief('3OA12345', { 1: '0' }).proposeWithin(places)?.text).toBe('30A12345');
    expect(aBelief('3').proposeWithin(Array.from({ length: 12 }, () => '01'))).toBeUndefined();
  });

  it('lets two that agree outweigh one that does not, by their weights', () => {
    const belief = (text: string, weight: number) => ({ belief: aBelief(text), weight });
    const two = poolBeliefs([belief('30A12345', 1), belief('30A12345', 1), belief('30A18345', 1)], POOL);
    expect(two[0]?.text).toBe('30A12345');
    expect(two.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
    const one = poolBeliefs([belief('30A12345', 1), belief('30A12345', 1), belief('30A18345', 3)], POOL);
    expect(one[0]?.text).toBe('30A18345');
    expect(one[0]?.share ?? 1).toBeLessThan(0.95);
    expect(poolBeliefs([], POOL)).toEqual([]);
  });

  it('may be that there is nothing to read', () => {
    const member = (text: string) => ({ belief: aBelief(text), weight: 1 });
    const [nothing] = poolBeliefs([member('')], POOL);
    expect(nothing?.text).toBe('');
    expect(nothing?.share).toBeGreaterThan(0.99);
    const [plate] = poolBeliefs([member('30A12345')], POOL);
    expect(plate?.share).toBeGreaterThan(0.99);
  });
});
