import { describe, expect, it } from 'vitest';
import type { Point } from '../geometry/box.ts';
import { aScene } from '../testing/builder.ts';
import { addNoise } from '../testing/rule-noise.ts';
import { playScenario, type RuleScenario, type ScenarioOutcome } from '../testing/rule-scenario.ts';
import { computeScriptedBox, type ScriptedRoadUser } from '../testing/scripted-road-user.ts';
import { forAll } from '../testing/seeded-random.ts';

const RULE = { name: 'no-parking', kind: 'STOP_PARK', zone: 'kerb', standMs: 20_000 };
const SCENE = {
  picture: { width: 1280, height: 720 },
  zones: [
    {
      name: 'kerb',
      polygon: [
        [300, 300],
        [900, 300],
        [900, 500],
        [300, 500],
      ],
    },
  ],
};

const path = (...waypoints: [atMs: number, ...rear: Point][]) =>
  waypoints.map(([atMs, x, y]) => ({ atMs, rear: [x, y] as const }));
const RIGHT: Point = [1, 0];

/** A car that comes from the left, stands with its rear at x = 500 from 4 s on. */
const parker = (untilMs: number, parts: Partial<ScriptedRoadUser> = {}): ScriptedRoadUser => ({
  trackId: 1,
  label: 'car',
  heading: RIGHT,
  path: path([0, 50, 400], [4000, 500, 400], [untilMs, 500, 400]),
  ...parts,
});

function play(
  users: readonly ScriptedRoadUser[],
  parts: Partial<RuleScenario> & { rule?: object } = {},
): ScenarioOutcome {
  const { rule, ...rest } = parts;
  return playScenario({
    scene: aScene({ ...SCENE, rules: [{ ...RULE, ...rule }] }),
    users,
    untilMs: 60_000,
    fps: 6,
    ...rest,
  });
}

describe('stop and park: one case', () => {
  it('fires once after standMs, with its measures and both languages', () => {
    const { matches } = play([parker(60_000)], { fps: 12.5 });
    expect(matches).toHaveLength(1);
    const [match] = matches;
    expect(match).toMatchObject({ kind: 'STOP_PARK', trackId: 1, label: 'car', rule: 'no-parking' });
    expect(match?.sureAtMs).toBeGreaterThanOrEqual(24_000);
    expect(match?.sureAtMs).toBeLessThan(25_000);
    expect(match?.measures['standingMs']).toBeGreaterThanOrEqual(20_000);
    expect(match?.measures['stoodSinceMediaMs']).toBeGreaterThan(4000);
    expect(match?.explanation.en).toMatch(
      /Car \(track 1\) stood in no-stopping zone "kerb" for at least 20\.\d s/,
    );
    expect(match?.explanation.vi).toMatch(/Ô tô \(số hiệu 1\) đứng yên .* ít nhất 20,\d giây/);
    expect(match?.explanation.en).not.toContain('already');
  });

  it('tells who stands inside by the middle of its ground, where it was seen to come', () => {
    const kerb = (y1: number, y2: number) => ({
      ...SCENE,
      zones: [
        {
          name: 'kerb',
          polygon: [
            [300, y1],
            [1100, y1],
            [1100, y2],
            [300, y2],
          ] as Point[],
        },
      ],
      rules: [RULE],
    });
    const truck = parker(60_000, { label: 'truck' });
    const [, , , bottom] = computeScriptedBox(truck, 10_000) ?? [0, 0, 0, 0];
    const casesAt = (y1: number, y2: number, user: ScriptedRoadUser = truck): number =>
      playScenario({ scene: aScene(kerb(y1, y2)), users: [user], untilMs: 60_000, fps: 6 }).matches.length;
    // a strip as wide as the truck: its nearer wheels stand on the border
    expect(casesAt(bottom - 55, bottom + 1)).toBe(1);
    // a strip in front of it: only its nearer wheels reach in
    expect(casesAt(bottom - 8, bottom + 60)).toBe(0);
    // who stood there already may stand either way: its lower edge must be inside
    const stood = { ...truck, path: path([0, 500, 400], [60_000, 500, 400]) };
    expect(casesAt(bottom - 55, bottom + 1, stood)).toBe(0);
    expect(casesAt(bottom - 55, bottom + 20, stood)).toBe(1);
  });

  it('fires at the same time at 6, 12.5 and 25 frames a second', () => {
    const times = [6, 12.5, 25].map((fps) =>
      play([parker(30_000)], { fps, untilMs: 30_000 }).matches.map(({ sureAtMs }) => sureAtMs),
    );
    for (const time of times) {
      expect(time).toHaveLength(1);
      expect(Math.abs((time[0] ?? 0) - (times[2]?.[0] ?? 0))).toBeLessThan(700);
    }
  });

  it('stays one case for an hour of jitter and misses', () => {
    forAll(1, (random) => {
      const untilMs = 3_600_000;
      const { matches } = play([addNoise(parker(untilMs), random)], { untilMs, fps: 2 });
      expect(matches).toHaveLength(1);
    });
  });

  it('stays one case while the tracker changes its id every few seconds', () => {
    forAll(3, (random) => {
      const users: ScriptedRoadUser[] = [parker(9000)];
      let fromMs = 9000 + random.between(100, 2000);
      while (fromMs < 180_000) {
        const untilMs = fromMs + random.between(2500, 25_000);
        users.push(
          parker(0, { trackId: users.length + 1, path: path([fromMs, 500, 400], [untilMs, 500, 400]) }),
        );
        fromMs = untilMs + random.between(100, 2000);
      }
      const noisy = users.map((user) => addNoise(user, random));
      expect(play(noisy, { untilMs: 180_000 }).matches).toHaveLength(1);
    });
  });

  it('stays one case while a bus hides it for a minute, before or after the case was told', () => {
    for (const hiddenFromMs of [12_000, 40_000]) {
      const hidden = (atMs: number): boolean => atMs >= hiddenFromMs && atMs < hiddenFromMs + 60_000;
      const front = parker(hiddenFromMs);
      const back = parker(0, {
        trackId: 3,
        path: path([hiddenFromMs + 60_000, 500, 400], [300_000, 500, 400]),
      });
      const bus: ScriptedRoadUser = {
        trackId: 2,
        label: 'bus',
        heading: RIGHT,
        path: path(
          [hiddenFromMs - 2000, 0, 480],
          [hiddenFromMs, 380, 480],
          [hiddenFromMs + 60_000, 380, 480],
          [hiddenFromMs + 63_000, 1200, 480],
        ),
      };
      const { matches } = play([{ ...front, seen: (atMs) => !hidden(atMs) }, bus, back], {
        untilMs: 300_000,
        rule: { labels: ['car'] },
      });
      expect(matches, `hidden from ${hiddenFromMs}`).toHaveLength(1);
    }
  });

  it('stays one case while the detector misses it for two minutes', () => {
    const seen = (atMs: number): boolean => atMs < 40_000 || atMs > 160_000;
    const again = parker(0, { trackId: 2, path: path([160_000, 500, 400], [400_000, 500, 400]) });
    expect(play([parker(41_000, { seen }), again], { untilMs: 400_000 }).matches).toHaveLength(1);
  });

  it('stays one case when a passing car carries its id away', () => {
    // the id moves on with the passing car, the parked one is found as another
    const thief = parker(0, {
      path: path([0, 50, 400], [4000, 500, 400], [40_000, 500, 400], [44_000, 1200, 430]),
    });
    const rest = parker(0, { trackId: 2, path: path([40_500, 500, 400], [300_000, 500, 400]) });
    expect(play([thief, rest], { untilMs: 300_000 }).matches).toHaveLength(1);
  });

  it('stays one case when the driver gets off a motorbike', () => {
    const off = parker(200_000, {
      label: 'motorbike',
      distort: ([x1, y1, x2, y2], atMs) =>
        atMs > 30_000 ? [x1, y1 + 0.3 * (y2 - y1), x2, y2] : [x1, y1, x2, y2],
    });
    expect(play([off], { untilMs: 200_000 }).matches).toHaveLength(1);
  });

  it('stays one case when the detector takes it for something else', () => {
    const before = parker(40_000);
    const box = computeScriptedBox(before, 39_000);
    const after = parker(0, {
      trackId: 2,
      label: 'motorbike',
      path: path([40_500, 500, 400], [120_000, 500, 400]),
      distort: (own) => box ?? own,
    });
    expect(play([before, after], { untilMs: 120_000 }).matches).toHaveLength(1);
  });

  it('shows the vehicle where it stood, also when that became sure while its ground contact was hidden', () => {
    const leaving = parker(0, {
      path: path([0, 50, 400], [4000, 500, 400], [30_000, 500, 400], [33_000, 1200, 400]),
      groundSeen: (atMs) => atMs < 15_000 || atMs > 30_300,
    });
    const { matches } = play([leaving]);
    for (const { observation } of matches) expect(observation.box[0]).toBeLessThan(520);
    const back = { ...leaving, groundSeen: (atMs: number) => atMs < 15_000 || atMs > 29_000 };
    expect(play([back]).matches.map(({ observation }) => Math.round(observation.box[0]))).toEqual([500]);
  });

  it('stays one case after a restart that remembers, and says honestly what happens without', () => {
    const first = play([parker(60_000)]);
    expect(first.matches).toHaveLength(1);
    const standing = parker(0, { path: path([0, 500, 400], [60_000, 500, 400]) });
    expect(play([standing], { memory: first.memory }).matches).toEqual([]);
    const { matches } = play([standing]);
    expect(matches).toHaveLength(1);
    expect(matches[0]?.explanation.en).toContain('It stood there already when it was first seen.');
    expect(JSON.parse(JSON.stringify(first.memory))).toEqual(first.memory);
  });
});

describe('stop and park: another case', () => {
  it('comes of the next car at the same place once the first was seen to leave', () => {
    const leaving = parker(0, {
      path: path([0, 50, 400], [4000, 500, 400], [40_000, 500, 400], [43_000, 1200, 400]),
    });
    const next = parker(0, {
      trackId: 2,
      path: path([60_000, 50, 400], [64_000, 500, 400], [120_000, 500, 400]),
    });
    const { matches } = play([leaving, next], { untilMs: 120_000 });
    expect(matches.map(({ trackId }) => trackId)).toEqual([1, 2]);
  });

  it('comes of the next car when others drove over the place meanwhile', () => {
    const gone = parker(40_000);
    const through = [0, 1].map(
      (i): ScriptedRoadUser => ({
        trackId: 10 + i,
        label: 'car',
        heading: RIGHT,
        path: path([50_000 + 5000 * i, 50, 398], [56_000 + 5000 * i, 1100, 398]),
      }),
    );
    const next = parker(0, {
      trackId: 2,
      path: path([70_000, 50, 400], [74_000, 500, 400], [120_000, 500, 400]),
    });
    const { matches } = play([gone, ...through, next], { untilMs: 120_000, fps: 12.5 });
    expect(matches.map(({ trackId }) => trackId)).toEqual([1, 2]);
  });

  it('does not wait for what stood beside it before it came', () => {
    const thing = parker(0, { trackId: 9, path: path([0, 620, 400], [60_000, 620, 400]) });
    const late = parker(0, { path: path([3000, 50, 400], [7000, 500, 400], [60_000, 500, 400]) });
    const { matches } = play([thing, late], { untilMs: 45_000, fps: 8 });
    const [match] = matches.filter(({ trackId }) => trackId === 1);
    expect(match?.measures['queuedMs']).toBe(0);
  });

  it('comes of each car of a row, later where they wait for each other', () => {
    const row = [0, 1, 2].map((i) =>
      parker(0, {
        trackId: i + 1,
        path: path(
          [1000 * i, -200, 400],
          [4000 + 1000 * i, 350 + 120 * (2 - i), 400],
          [400_000, 350 + 120 * (2 - i), 400],
        ),
        view: { depressionDeg: 25, pxPerMetre: 22 },
      }),
    );
    const { matches } = play(row, { untilMs: 400_000, fps: 4 });
    expect(matches.map(({ trackId }) => trackId).sort()).toEqual([1, 2, 3]);
    for (const { sureAtMs } of matches) expect(sureAtMs).toBeGreaterThan(180_000);
    const strict = play(row, { untilMs: 40_000, fps: 4, rule: { queueExempt: false } });
    expect(strict.matches).toHaveLength(3);
  });
});

describe('stop and park: stays silent', () => {
  it('on who stands just short of standMs', () => {
    const short = parker(0, {
      path: path([0, 50, 400], [4000, 500, 400], [23_000, 500, 400], [26_000, 1200, 400]),
    });
    expect(play([short]).matches).toEqual([]);
  });

  it('on who creeps through the zone', () => {
    forAll(5, (random) => {
      const creeping = parker(0, { path: path([0, 250, 400], [60_000, 800, 400]) });
      expect(play([addNoise(creeping, random)]).matches).toEqual([]);
    });
  });

  it('on who stands beside the zone, and on who stands on its border', () => {
    // its near wheels touch the ground 18 px below its middle line; their error is 3 px
    for (const y of [260, 280, 284]) {
      const beside = parker(0, { path: path([0, 50, y], [4000, 500, y], [60_000, 500, y]) });
      expect(play([beside]).matches, `y = ${y}`).toEqual([]);
    }
  });

  it('on a queue at a red light that stands shorter than any red light lasts', () => {
    const queue = [0, 1, 2].map(
      (i): ScriptedRoadUser =>
        parker(0, {
          trackId: i + 1,
          view: { depressionDeg: 25, pxPerMetre: 22 },
          path: path(
            [0, -300, 400],
            [4000, 350 + 120 * (2 - i), 400],
            [120_000, 350 + 120 * (2 - i), 400],
            [124_000, 1200, 400],
          ),
        }),
    );
    expect(play(queue, { untilMs: 124_000 }).matches).toEqual([]);
    expect(play(queue, { untilMs: 124_000, rule: { queueExempt: false } }).matches).toHaveLength(3);
  });

  it('on labels that the rule does not name', () => {
    expect(play([parker(60_000)], { rule: { labels: ['bus'] } }).matches).toEqual([]);
  });

  it('does not add up two vehicles that stood there one after the other', () => {
    const users = [0, 1, 2].map((i) =>
      parker(0, {
        trackId: i + 1,
        path: path(
          [20_000 * i, 50, 400],
          [20_000 * i + 3000, 500, 400],
          [20_000 * i + 15_000, 500, 400],
          [20_000 * i + 18_000, 1200, 400],
        ),
      }),
    );
    expect(play(users).matches).toEqual([]);
  });
});

it('stop and park: never more cases than vehicles, and none without standMs of standing', () => {
  forAll(25, (random) => {
    const standsMs = random.between(2000, 60_000);
    const x = random.between(330, 700);
    const user = parker(0, {
      path: path([0, -100, 400], [4000, x, 400], [4000 + standsMs, x, 400], [8000 + standsMs, 1270, 400]),
    });
    const { matches } = play([addNoise(user, random)], { untilMs: 80_000, fps: random.integer(4, 12) });
    expect(matches.length).toBeLessThanOrEqual(1);
    if (standsMs < 19_500) expect(matches).toEqual([]);
    if (standsMs > 24_000) expect(matches).toHaveLength(1);
  });
});
