import { describe, expect, it } from 'vitest';
import type { PlateLook } from './plate-reading.ts';
import { votePlate } from './plate-vote.ts';

const subject = { class: 'car', on: new Date('2026-11-22T00:00:00Z') } as const;

/** `30A12345`, each character sure by `confidence`; `doubts` gives the second choice of a place. */
function aLook(
  text: string,
  options: Partial<PlateLook> & { confidence?: number; doubts?: Readonly<Record<number, string>> } = {},
): PlateLook {
  const { confidence = 0.995, doubts = {}, ...rest } = options;
  return {
    layout: 'one-line',
    characters: [...text].map((character, place) => {
      const other = doubts[place];
      if (other === undefined) return { character, confidence, alternatives: [] };
      return { character, confidence: 0.6, alternatives: [{ character: other, confidence: 0.39 }] };
    }),
    ...{ box: [0, 0, 120, 28], sharpness: 0.4, plateConfidence: 0.9 },
    ...rest,
  };
}

describe('the vote on a plate', () => {
  it('reads what a sharp look is sure of', () => {
    const reading = votePlate([aLook('30A12345', { confidence: 0.999 })], subject);
    expect(reading).toMatchObject({
      state: 'read',
      text: '30A12345',
      shown: '30A-123.45',
      format: 'car',
      looks: 1,
    });
    expect(reading.confidence ?? 0).toBeGreaterThan(0.9);
  });

  it('says that nothing can be read instead of guessing', () => {
    const reading = votePlate(
      [aLook('30A12345', { confidence: 0.7, doubts: { 3: '7', 5: '6', 6: '9' } })],
      subject,
    );
    expect(reading.state).toBe('unreadable');
    expect(reading.reason).toMatch(/sure/);
    expect(votePlate([], subject)).toMatchObject({ state: 'unreadable', looks: 0, characters: [] });
    expect(votePlate([aLook('')], subject)).toMatchObject({ state: 'unreadable', looks: 1 });
  });

  it('lets the format decide between characters that look alike', () => {
    const reading = votePlate([aLook('3OA12345', { doubts: { 1: '0' } })], subject);
    expect(reading.text).toBe('30A12345');
    expect(votePlate([aLook('30812345', { doubts: { 2: 'B' } })], subject).text).toBe('30B12345');
  });

  it('grows surer with frames that agree, and less sure with frames that do not', () => {
    const unsure = aLook('30A12345', { doubts: { 4: '8' } });
    const one = votePlate([unsure], subject);
    const four = votePlate([unsure, unsure, unsure, unsure], subject);
    expect(four.confidence ?? 0).toBeGreaterThan((one.confidence ?? 1) + 0.05);
    const against = votePlate([aLook('30A12345'), aLook('30A12845')], subject);
    expect(against.confidence ?? 1).toBeLessThan(0.7);
    expect(against.alternatives[0]?.text === '30A12845' || against.alternatives[0]?.text === '30A12345').toBe(
      true,
    );
    expect(against.characters[5]?.alternatives).not.toHaveLength(0);
  });

  it('believes the sharp and large look more than many poor ones', () => {
    const poor = aLook('30A12845', {
      confidence: 0.9,
      sharpness: 0.05,
      box: [0, 0, 30, 8],
      plateConfidence: 0.3,
    });
    const reading = votePlate([aLook('30A12345', { confidence: 0.999 }), poor, poor, poor], subject);
    expect(reading).toMatchObject({ state: 'read', text: '30A12345', looks: 4 });
  });

  it('believes no single look that reads where the others see nothing, and a passage that is legible in part', () => {
    const nothing = aLook('', { texts: [{ text: '', confidence: 0.97 }] });
    const invented = aLook('67M5111', { texts: [{ text: '67M5111', confidence: 0.96 }] });
    const look = aLook('30A12345', { texts: [{ text: '30A12345', confidence: 0.99 }] });
    const vote = (...looks: PlateLook[]) => votePlate(looks, subject);
    expect(vote(nothing)).toEqual({
      ...{ state: 'unreadable', characters: [], alternatives: [], looks: 1 },
      reason: 'no character was seen on it',
    });
    for (const count of [1, 3, 7]) {
      const others = Array.from({ length: count }, () => nothing);
      expect(vote(invented, ...others).state).toBe('unreadable');
      expect(vote(look, look, look, look, ...others)).toMatchObject({
        text: '30A12345',
        looks: count + 4,
      });
    }
    expect(vote(look, look, look, look, nothing, nothing).state).toBe('read');
    // a plate that was too small to be looked at says nothing either way
    expect(vote(aLook('', { texts: [] }), look)).toMatchObject({ state: 'read', looks: 2 });
  });

  it('keeps a text that is a character longer where a look thought of it', () => {
    const look = aLook('29MD12345', {
      layout: 'two-line',
      texts: [
        { text: '29MD12345', confidence: 0.6 },
        { text: '29MD112345', confidence: 0.4 },
      ],
    });
    const reading = votePlate([look], { class: 'motorbike', on: subject.on });
    expect(reading.text).toBe('29MD112345');
    expect(reading.shown).toBe('29-MĐ1 123.45');
  });

  it('is ambiguous where the characters are sure and the way they are written is not', () => {
    const look = aLook('30A12345', { layout: 'two-line', confidence: 0.9995 });
    const reading = votePlate([look], { on: subject.on });
    expect(reading.state).toBe('ambiguous');
    expect(reading.text).toBe('30A12345');
    expect(reading.shown).toBeUndefined();
  });
});
