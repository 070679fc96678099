import { describe, expect, it } from 'vitest';
import type { Box, Point } from '../geometry/box.ts';
import { aScene } from '../testing/builder.ts';
import { addNoise } from '../testing/rule-noise.ts';
import { playScenario, type RuleScenario } from '../testing/rule-scenario.ts';
import type { ScriptedRoadUser } from '../testing/scripted-road-user.ts';
import { forAll, type SeededRandom } from '../testing/seeded-random.ts';
import type { Occupant, OccupantShares } from '../track/track.ts';

const RULE = { name: 'too-many', kind: 'OVERLOADED' };

/** People in a row along the two-wheeler, seen from the side; each is found with the given probability. */
function seat(count: number, random?: SeededRandom, found = 0.85) {
  return ([x1, y1, x2, y2]: Box): Occupant[] =>
    Array.from({ length: count }, (_, i): Occupant => {
      const centre = x1 + ((i + 1) * (x2 - x1)) / (count + 1);
      const half = 0.18 * (x2 - x1);
      return { box: [centre - half, y1, centre + half, y1 + 0.75 * (y2 - y1)], confidence: 0.7 };
    }).filter(() => random === undefined || random.next() < found);
}

const rider = (parts: Partial<ScriptedRoadUser> = {}): ScriptedRoadUser => ({
  trackId: 1,
  label: 'motorbike',
  heading: [1, 0],
  path: [
    { atMs: 0, rear: [20, 300] },
    { atMs: 6000, rear: [600, 300] },
  ],
  occupants: seat(3),
  ...parts,
});

function play(users: readonly ScriptedRoadUser[], parts: Partial<RuleScenario> & { rule?: object } = {}) {
  const { rule, ...rest } = parts;
  return playScenario({ scene: aScene({ rules: [{ ...RULE, ...rule }] }), users, untilMs: 6000, ...rest })
    .matches;
}

const ride = (y: number, [fromX, toX]: Point, parts: Partial<ScriptedRoadUser>): ScriptedRoadUser =>
  rider({
    path: [
      { atMs: 0, rear: [fromX, y] },
      { atMs: 6000, rear: [toX, y] },
    ],
    ...parts,
  });

describe('overloaded: fires', () => {
  it('once on three on a motorbike, with its measures and both languages', () => {
    const matches = play([rider()]);
    expect(matches).toHaveLength(1);
    expect(matches[0]).toMatchObject({
      kind: 'OVERLOADED',
      trackId: 1,
      label: 'motorbike',
      rule: 'too-many',
    });
    expect(matches[0]?.measures).toMatchObject({ occupantsMost: 3, occupantsAllowed: 2 });
    expect(matches[0]?.explanation.en).toMatch(
      /more than 2 on it in \d+ of \d+ unobstructed sights, 3 or more at once/,
    );
    expect(matches[0]?.explanation.vi).toContain('chở quá số người');
  });

  it('after as long at 6, 12.5 and 25 frames a second', () => {
    const times = [6, 12.5, 25].map((fps) => play([rider()], { fps }).map(({ sureAtMs }) => sureAtMs));
    for (const time of times) {
      expect(time).toHaveLength(1);
      expect(Math.abs((time[0] ?? 0) - (times[2]?.[0] ?? 0))).toBeLessThan(250);
    }
  });

  it('although each of the three is missed in 15 % of the frames and boxes jitter', () => {
    let fired = 0;
    forAll(40, (random) => {
      fired += play([addNoise(rider({ occupants: seat(3, random) }), random)]).length;
    });
    expect(fired).toBeGreaterThanOrEqual(36);
  });

  it('once although the tracker changes the id', () => {
    const head = rider({
      path: [
        { atMs: 0, rear: [20, 300] },
        { atMs: 3500, rear: [358, 300] },
      ],
    });
    const tail = rider({
      trackId: 2,
      path: [
        { atMs: 3800, rear: [387, 300] },
        { atMs: 9000, rear: [890, 300] },
      ],
    });
    const scene = aScene({ picture: { width: 1280, height: 480 }, rules: [RULE] });
    expect(playScenario({ scene, users: [head, tail], untilMs: 9000 }).matches).toHaveLength(1);
    expect(playScenario({ scene, users: [tail], untilMs: 9000 }).matches).toHaveLength(1);
  });
});

describe('overloaded: with a network that counts', () => {
  const THREE: OccupantShares = [0, 0.05, 0.65, 0.3];
  const TWO: OccupantShares = [0, 0.2, 0.7, 0.1];

  it('fires on what it counts, although the boxes show nobody', () => {
    const matches = play([rider({ occupants: () => [], counted: () => THREE })]);
    expect(matches).toHaveLength(1);
    expect(matches[0]?.measures).toMatchObject({ occupantsMost: 3, occupantsAllowed: 2 });
  });

  it('stays silent on two, although the boxes show three', () => {
    expect(play([rider({ counted: () => TWO })])).toEqual([]);
  });

  it('adds up the shares of all that are too many', () => {
    const counted = (): OccupantShares => [0.1, 0.35, 0.4, 0.15];
    expect(play([rider({ counted })])).toEqual([]);
    expect(play([rider({ counted })], { rule: { maxOccupants: 1 } })).toHaveLength(1);
  });

  it('takes no vote from a sight that it did not look at', () => {
    expect(play([rider({ counted: () => undefined })])).toEqual([]);
    const seldom = (atMs: number) => (Math.floor(atMs / 400) % 2 === 0 ? THREE : undefined);
    expect(play([rider({ counted: seldom })])).toHaveLength(1);
  });

  it('counts boxes where more are allowed than it tells apart', () => {
    const counted = () => THREE;
    expect(play([rider({ counted })], { rule: { maxOccupants: 3 } })).toEqual([]);
    expect(play([rider({ occupants: seat(4), counted })], { rule: { maxOccupants: 3 } })).toHaveLength(1);
  });
});

describe('overloaded: stays silent', () => {
  it('on two, whatever the noise, also where one is found twice', () => {
    forAll(40, (random) => {
      const twice = (box: Box): Occupant[] => {
        const pair = seat(2, random)(box);
        const [first] = pair;
        if (first === undefined || random.next() < 0.5) return pair;
        const [x1, y1, x2, y2] = first.box;
        return [...pair, { box: [x1 + 1, y1 + 2, x2, y2 - 0.2 * (y2 - y1)], confidence: 0.4 }];
      };
      expect(play([addNoise(rider({ occupants: twice }), random)])).toEqual([]);
    });
  });

  it('on two with a false third one in one sight of eight', () => {
    let fired = 0;
    forAll(200, (random) => {
      const doubtful = (box: Box): Occupant[] => seat(random.next() < 0.125 ? 3 : 2)(box);
      fired += play([rider({ occupants: doubtful })]).length;
    });
    expect(fired).toBe(0);
  });

  it('while another one rides so near that riders may be mixed up', () => {
    const beside = ride(310, [30, 610], { trackId: 2, occupants: seat(1) });
    expect(play([rider(), beside])).toEqual([]);
    const apart = ride(450, [30, 610], { trackId: 2, occupants: seat(1) });
    expect(play([rider(), apart]).map(({ trackId }) => trackId)).toEqual([1]);
  });

  it('while the edge of the picture cuts it', () => {
    // its wheels are below the picture of 480 rows
    expect(play([ride(484, [20, 600], {})])).toEqual([]);
  });

  it('on a bike that stands among people', () => {
    expect(play([ride(300, [300, 320], {})])).toEqual([]);
  });

  it('on three heads side by side over a bike that is seen from behind', () => {
    const wide = ([x1, y1, x2, y2]: Box): Occupant[] =>
      [0.1, 0.5, 0.9].map((at) => {
        const centre = x1 + at * (x2 - x1);
        return {
          box: [centre - 0.25 * (x2 - x1), y1, centre + 0.25 * (x2 - x1), y2 - 0.3 * (y2 - y1)],
          confidence: 0.8,
        };
      });
    const away = rider({
      heading: [0, -1],
      path: [
        { atMs: 0, rear: [320, 470] },
        { atMs: 6000, rear: [320, 100] },
      ],
      occupants: wide,
    });
    expect(play([away])).toEqual([]);
  });

  it('where three are allowed, outside its zone, and on persons too weak to be counted', () => {
    expect(play([rider()], { rule: { maxOccupants: 3 } })).toEqual([]);
    expect(play([ride(470, [20, 600], {})], { rule: { zone: 'square' } })).toEqual([]);
    const weak = (box: Box): Occupant[] => seat(3)(box).map((one) => ({ ...one, confidence: 0.2 }));
    expect(play([rider({ occupants: weak })])).toEqual([]);
  });
});
