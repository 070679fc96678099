import { describe, expect, it } from 'vitest';
import { ALL_LENSES, BLUISH_GREEN, drawLamp, type LampPicture } from '../testing/lamp-picture.ts';
import { forAll, SeededRandom } from '../testing/seeded-random.ts';
import { readLamp } from './lamp-reader.ts';

const STATES = [...ALL_LENSES, 'off'] as const;
const read = (picture: LampPicture) => readLamp(drawLamp(picture), picture.lenses ?? ALL_LENSES);

describe('readLamp', () => {
  it.each(STATES)('reads %s', (lit) => {
    const reading = read({ lit });
    expect(reading.state).toBe(lit);
    expect(reading.confidence).toBeGreaterThan(0.5);
  });

  it.each([
    ['warm light', { gain: [1.15, 0.95, 0.75] }],
    ['cold light', { gain: [0.8, 1, 1.2] }],
    ['a red sky', { offset: [40, 10, 5] }],
    ['blue haze', { offset: [10, 20, 45] }],
    ['a picture twice as dark', { gain: [0.5, 0.5, 0.5] }],
    ['a picture with little contrast', { gain: [0.55, 0.55, 0.55], offset: [90, 90, 90] }],
  ] as const)('reads every state in %s', (_, cast) => {
    for (const lit of STATES) expect(read({ lit, cast }).state, lit).toBe(lit);
  });

  it('reads every state of a tiny head, a wide one and one of two lenses', () => {
    for (const lit of STATES) {
      expect(read({ lit, width: 7, height: 20 }).state, `tiny ${lit}`).toBe(lit);
      expect(read({ lit, width: 60, height: 20 }).state, `wide ${lit}`).toBe(lit);
    }
    for (const lit of ['red', 'green', 'off'] as const) {
      const two: LampPicture = { lit, lenses: ['red', 'green'], width: 20, height: 40 };
      expect(read(two).state, `two lenses ${lit}`).toBe(lit);
      expect(read({ ...two, width: 40, height: 20 }).state, `two lenses side by side ${lit}`).toBe(lit);
    }
  });

  it('knows the lenses by their place: the order of the scene decides', () => {
    const lenses = ['green', 'amber', 'red'] as const;
    expect(read({ lit: 'green', lenses }).state).toBe('green');
    expect(read({ lit: 'red', lenses }).state).toBe('red');
    // red light where the green lens stands is no green light
    expect(readLamp(drawLamp({ lit: 'red', lenses: ['green', 'amber', 'red'] }), ALL_LENSES).state).not.toBe(
      'green',
    );
  });

  it('reads a bluish LED green, and an overexposed core with a coloured rim', () => {
    expect(read({ lit: 'green', litColour: BLUISH_GREEN }).state).toBe('green');
    const core = { x: 10, y: 50, radius: 3, colour: [250, 255, 250] } as const;
    expect(read({ lit: 'green', lights: [core] }).state).toBe('green');
  });

  it('reads every state through the noise of a cheap sensor', () => {
    forAll(25, (random) => {
      for (const lit of STATES) expect(read({ lit, noise: { sigma: 10, random } }).state).toBe(lit);
    });
  });

  it('reads every state in any mild cast and noise together', () => {
    forAll(25, (random) => {
      const draw = (low: number, high: number) =>
        [random.between(low, high), random.between(low, high), random.between(low, high)] as const;
      const cast = { gain: draw(0.8, 1.1), offset: draw(0, 20) };
      for (const lit of STATES) expect(read({ lit, cast, noise: { sigma: 5, random } }).state).toBe(lit);
    });
  });

  it('says nothing where the head is black, washed out, or too small to tell', () => {
    const black = { gain: [0.02, 0.02, 0.02] } as const;
    const white = { gain: [1, 1, 1], offset: [240, 240, 240] } as const;
    expect(read({ lit: 'red', cast: black })).toEqual({ state: 'unknown', confidence: 0 });
    expect(read({ lit: 'green', cast: white })).toEqual({ state: 'unknown', confidence: 0 });
    expect(read({ lit: 'red', width: 2, height: 6 }).state).toBe('unknown');
  });

  it('calls no lens lit in a black picture with noise, nor in a grey one', () => {
    const random = new SeededRandom(3);
    for (const level of [0, 30, 128]) {
      const cast = { gain: [0, 0, 0], offset: [level, level, level] } as const;
      for (let i = 0; i < 20; i++) {
        expect(['off', 'unknown']).toContain(read({ lit: 'red', cast, noise: { sigma: 6, random } }).state);
      }
    }
  });

  it('is not misled by headlights that shine behind the head', () => {
    for (const lit of STATES) {
      const lights = [
        { x: 1, y: 42, radius: 3, colour: [255, 250, 225] },
        { x: 18, y: 22, radius: 3, colour: [255, 244, 200] },
      ] as const;
      expect(read({ lit, lights }).state, lit).toBe(lit);
    }
  });

  it('decides for no lens where two are lit alike', () => {
    const both = { x: 10, y: 50, radius: 7, colour: [40, 225, 150] } as const;
    expect(read({ lit: 'red', lights: [both] })).toEqual({ state: 'unknown', confidence: 0 });
  });

  it('is surer of a bright lens than of a faint one', () => {
    const faint = read({ lit: 'red', litColour: [110, 60, 60] });
    const bright = read({ lit: 'red' });
    expect(faint.state).toBe('red');
    expect(bright.confidence).toBeGreaterThan(faint.confidence);
    expect(bright.confidence).toBeLessThanOrEqual(1);
  });
});
