import { describe, expect, it } from 'vitest';
import type { Point } from '../geometry/box.ts';
import { aScene } from '../testing/builder.ts';
import { addNoise } from '../testing/rule-noise.ts';
import { playScenario, type RuleScenario } from '../testing/rule-scenario.ts';
import type { ScriptedRoadUser } from '../testing/scripted-road-user.ts';
import { forAll } from '../testing/seeded-random.ts';

/** Traffic drives up in the picture over a zebra that lies across it from x = 100 to x = 540, y 230 … 330. 50 px a metre across. */
const RULE = {
  name: 'zebra',
  kind: 'ZEBRA_YIELD',
  zebra: 'zebra',
  approach: { from: [320, 470], to: [320, 100] },
};
const ZONES = [
  {
    name: 'zebra',
    polygon: [
      [100, 230],
      [540, 230],
      [540, 330],
      [100, 330],
    ],
  },
];

const path = (...waypoints: [atMs: number, ...rear: Point][]) =>
  waypoints.map(([atMs, x, y]) => ({ atMs, rear: [x, y] as const }));

/** Reaches the pedestrian's line (y = 280) with its rear at 3 s: 127 px/s up the picture are 6 m/s. */
const car = (parts: Partial<ScriptedRoadUser> = {}): ScriptedRoadUser => ({
  trackId: 1,
  label: 'car',
  heading: [0, -1],
  path: path([1500, 320, 470], [4000, 320, 153]),
  ...parts,
});

/** Walks to the right at 1.4 m/s; is at `x` at 3 s. */
const walker = (x: number, parts: Partial<ScriptedRoadUser> = {}): ScriptedRoadUser => ({
  trackId: 2,
  label: 'person',
  heading: [0, -1],
  path: path([0, x - 210, 280], [8000, x + 350, 280]),
  ...parts,
});

function play(users: readonly ScriptedRoadUser[], parts: Partial<RuleScenario> & { rule?: object } = {}) {
  const { rule, ...rest } = parts;
  return playScenario({
    scene: aScene({ zones: ZONES, rules: [{ ...RULE, ...rule }] }),
    users,
    untilMs: 8000,
    ...rest,
  }).matches;
}

// the car's left side passes at x = 275
describe('zebra: fires', () => {
  it('once on a car that drives in front of a pedestrian who then comes there', () => {
    const matches = play([car(), walker(220)]);
    expect(matches).toHaveLength(1);
    const [match] = matches;
    expect(match).toMatchObject({ kind: 'ZEBRA_YIELD', trackId: 1, label: 'car', rule: 'zebra' });
    // 55 px at 70 px/s are 0.8 s; the bounds of place and time are added
    expect(match?.measures['gapMs']).toBeGreaterThan(780);
    expect(match?.measures['gapMs']).toBeLessThan(1600);
    expect(match?.measures['gapMeasured']).toBe(1);
    expect(match?.explanation.en).toMatch(
      /Car \(track 1\) drove over zebra "zebra" in front of a pedestrian on it \(track 2\)/,
    );
    expect(match?.explanation.vi).toContain('trước người đi bộ (số hiệu 2)');
  });

  it('on a vehicle that the pedestrian has at arm’s length, and walks up to while it passes', () => {
    const bus = car({ label: 'bus', path: path([0, 320, 661], [6000, 320, -101]) });
    for (const vehicle of [car(), bus]) {
      for (const x of [278, 290, 298]) {
        const matches = play([vehicle, walker(x)]);
        expect(matches, `${vehicle.label}, ${x} px`).toHaveLength(1);
        expect(matches[0]?.measures['gapMeasured']).toBe(1);
        expect(matches[0]?.measures['gapMs']).toBeLessThan(800);
      }
    }
  });

  it('on a car in front of which the pedestrian breaks step', () => {
    const stops = walker(220, {
      path: path([0, 10, 280], [2900, 213, 280], [5000, 213, 280], [8000, 420, 280]),
    });
    const matches = play([car(), stops]);
    expect(matches).toHaveLength(1);
    expect(matches[0]?.measures['gapMeasured']).toBe(0);
    expect(matches[0]?.explanation.en).toContain('broke step');
  });

  it('on a motorbike, and on a pedestrian from the other side', () => {
    expect(play([car({ label: 'motorbike' }), walker(250)])).toHaveLength(1);
    const fromRight = walker(0, { path: path([0, 630, 280], [8000, 70, 280]) });
    expect(play([car(), fromRight])).toHaveLength(1);
  });

  it('on a pedestrian who comes onto the zebra just before the car', () => {
    // on the zebra (x > 100) from 2.0 s on; the front is at the line at 2.3 s, the car's left side at x = 175
    const left = car({ path: path([1500, 220, 470], [4000, 220, 153]) });
    expect(play([left, walker(165)])).toHaveLength(1);
  });

  it('at 6, 12.5 and 25 frames a second', () => {
    for (const fps of [6, 12.5, 25])
      expect(play([car(), walker(225)], { fps }), `${fps} fps`).toHaveLength(1);
  });

  it('on nearly all under box noise of 3 % and misses of 15 %', () => {
    let fired = 0;
    forAll(30, (random) => {
      fired += play([addNoise(car(), random), addNoise(walker(225), random)]).length;
    });
    expect(fired).toBeGreaterThanOrEqual(26);
  });

  it('once, whatever the number of pedestrians', () => {
    expect(play([car(), walker(220), walker(200, { trackId: 3 }), walker(225, { trackId: 4 })])).toHaveLength(
      1,
    );
  });
});

describe('zebra: stays silent', () => {
  it.each([
    ['on a pedestrian who has crossed before', walker(400)],
    ['on a pedestrian who comes much later', walker(40)],
    ['on a pedestrian who stands at the kerb', walker(0, { path: path([0, 90, 280], [8000, 90, 280]) })],
    [
      'on a pedestrian who stands on the zebra all the time',
      walker(0, { path: path([0, 220, 280], [8000, 220, 280]) }),
    ],
    ['on a pedestrian who walks away', walker(0, { path: path([0, 430, 280], [8000, 990, 280]) })],
    [
      'on a pedestrian who walks beside the zebra',
      walker(220, { path: path([0, 10, 380], [8000, 570, 380]) }),
    ],
    ['on a pedestrian who walks along the road', walker(0, { path: path([0, 225, 330], [8000, 225, 230]) })],
    ['on somebody who rides over the zebra', walker(0, { path: path([1000, 0, 280], [5000, 900, 280]) })],
  ])('%s', (_, pedestrian) => {
    expect(play([car(), pedestrian])).toEqual([]);
  });

  it('on a pedestrian who comes onto the zebra when the front of the bus is past', () => {
    // the front of the bus is past the line at 1.4 s, its rear at 3 s; the pedestrian steps on at 2.6 s
    const bus = car({ label: 'bus', path: path([0, 230, 661], [6000, 230, -101]) });
    expect(play([bus, walker(128)], { untilMs: 6000 })).toEqual([]);
  });

  it('on a vehicle that stops, lets pass and goes on', () => {
    const stops = car({ path: path([0, 320, 470], [1000, 320, 410], [5500, 320, 410], [8000, 320, 93]) });
    expect(play([stops, walker(220)])).toEqual([]);
  });

  it('on a vehicle that stops past the line of the pedestrian but before it', () => {
    const stops = car({ path: path([0, 320, 470], [1000, 320, 430], [8000, 320, 430]) });
    expect(play([stops, walker(220)])).toEqual([]);
  });

  it('on a motorbike that is pushed over the zebra', () => {
    const pushed = car({ label: 'motorbike', path: path([0, 320, 372], [8000, 320, 132]) });
    expect(play([pushed, walker(245)])).toEqual([]);
  });

  it('on traffic of the other direction', () => {
    const coming = car({ heading: [0, 1], path: path([1500, 320, 153], [4000, 320, 470]) });
    expect(play([coming, walker(220)])).toEqual([]);
  });

  it('on the same moves with a smaller gap allowed', () => {
    expect(play([car(), walker(200)], { rule: { maxGapMs: 500 } })).toEqual([]);
  });

  it('on near misses under noise', () => {
    forAll(30, (random) => {
      expect(play([addNoise(car(), random), addNoise(walker(80), random)])).toEqual([]);
      expect(play([addNoise(car(), random), addNoise(walker(395), random)])).toEqual([]);
    });
  });
});

it('zebra: fires only where the true gap is short', () => {
  forAll(60, (random) => {
    const x = random.between(20, 600);
    const matches = play([addNoise(car(), random), addNoise(walker(x), random)]);
    // the pedestrian is 0.7 px/10 ms short of the car's side at 275 when the rear passes
    const trueGapMs = (275 - x) / 0.07;
    if (trueGapMs > 2000 || trueGapMs < -800) expect(matches, `gap ${trueGapMs} ms`).toEqual([]);
  });
});
