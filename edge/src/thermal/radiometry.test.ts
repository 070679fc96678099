import { describe, expect, it } from 'vitest';
import { forAll } from '../testing/seeded-random.ts';
import {
  buildTemperatureTable,
  computeApparent,
  computeTransmission,
  correctApparent,
  FLIR_ATMOSPHERE,
} from './radiometry.ts';

/** A FLIR SC660, as its sample files state it. */
const SC660 = { r1: 21_106.77, b: 1_501, f: 1, o: -7_340, r2: 0.012545258 };
const CONDITIONS = {
  emissivity: 0.95,
  distanceM: 1,
  reflectedC: 20,
  atmosphereC: 20,
  relativeHumidity: 0.5,
  windowC: 20,
  windowTransmission: 1,
};

describe('the temperature of a raw value', () => {
  it('is what the published calculation gives for the first pixels of the SC660 sample', () => {
    const table = buildTemperatureTable(SC660, CONDITIONS, FLIR_ATMOSPHERE);
    const published = [
      [18_090, 23.734],
      [18_087, 23.717],
      [18_071, 23.625],
      [18_065, 23.591],
    ] as const;
    for (const [raw, celsius] of published) expect(table[raw]).toBeCloseTo(celsius, 2);
  });

  it('rises with the raw value, and is none below the range', () => {
    const table = buildTemperatureTable(SC660, CONDITIONS, FLIR_ATMOSPHERE);
    expect(table[0]).toBeNaN();
    for (let raw = 15_000; raw < 30_000; raw++)
      expect(table[raw + 1]).toBeGreaterThan(table[raw] ?? Number.POSITIVE_INFINITY);
  });

  it('allows for a window', () => {
    const open = buildTemperatureTable(SC660, CONDITIONS, FLIR_ATMOSPHERE);
    const behind = buildTemperatureTable(SC660, { ...CONDITIONS, windowTransmission: 0.9 }, FLIR_ATMOSPHERE);
    // the window takes radiation of a warm object away, so that the same raw value means a warmer one
    expect(behind[20_000]).toBeGreaterThan((open[20_000] ?? 0) + 0.5);
  });
});

describe('the air', () => {
  it('lets less through over a longer way and where it is humid', () => {
    const at = (distanceM: number, relativeHumidity: number) =>
      computeTransmission({ celsius: 22, relativeHumidity, distanceM }, FLIR_ATMOSPHERE);
    expect(at(0, 0.5)).toBeCloseTo(1, 9);
    expect(at(1, 0.5)).toBeGreaterThan(at(10, 0.5));
    expect(at(10, 0.2)).toBeGreaterThan(at(10, 0.9));
  });
});

describe('the correction of an apparent temperature', () => {
  it('is undone by its reverse', () => {
    forAll(300, (random) => {
      const room = {
        emissivity: random.between(0.9, 1),
        distanceM: random.between(0, 3),
        reflectedC: random.between(15, 30),
        atmosphereC: random.between(15, 30),
        relativeHumidity: random.between(0, 1),
      };
      const celsius = random.between(20, 42);
      expect(correctApparent(computeApparent(celsius, room, 1_480), room, 1_480)).toBeCloseTo(celsius, 6);
    });
  });

  it('adds about a tenth of a degree for each hundredth that emissivity lacks, at a face in a room', () => {
    const room = { emissivity: 0.98, distanceM: 0, reflectedC: 22, atmosphereC: 22, relativeHumidity: 0.4 };
    const added = correctApparent(34.5, room, 1_480) - 34.5;
    expect(added).toBeGreaterThan(0.18);
    expect(added).toBeLessThan(0.3);
  });
});
