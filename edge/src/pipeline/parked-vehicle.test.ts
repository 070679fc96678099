import { describe, expect, it } from 'vitest';
import type { Detection } from '../detect/detection.ts';
import { type Box, computeArea, computeIntersection } from '../geometry/box.ts';
import type { RuleMatch, RuleMemory } from '../rules/rule.ts';
import { aFrameMark, aScene } from '../testing/builder.ts';
import { forAll, type SeededRandom } from '../testing/seeded-random.ts';
import { fuseRiders } from '../track/rider-fusion.ts';
import { RoadAnalysis } from './road-analysis.ts';

const SCENE = aScene({
  picture: { width: 1280, height: 720 },
  zones: [
    {
      name: 'kerb',
      polygon: [
        [300, 250],
        [900, 250],
        [900, 420],
        [300, 420],
      ],
    },
  ],
  rules: [{ name: 'park', kind: 'STOP_PARK', zone: 'kerb', standMs: 30_000, labels: ['car', 'truck'] }],
});
const PARKED: Box = [520, 320, 640, 390];

interface Street {
  /** The parked car leaves at this moment. */
  readonly leavesAtMs?: number;
  readonly untilMs: number;
  readonly memory?: RuleMemory;
}

const shake = (box: Box, random: SeededRandom): Box => {
  const size = [box[2] - box[0], box[3] - box[1]];
  return box.map((side, i) => side + 0.03 * (size[i % 2] ?? 0) * random.gaussian()) as unknown as Box;
};

/** A bus in the nearer lane every 25 s, sometimes in a jam before the parked car; cars behind it every 7 s. */
function passTraffic(atMs: number): Detection[] {
  const inRound = atMs % 25_000;
  // halts before the parked car for 12 s
  const busX =
    inRound < 3000 ? -400 + 0.25 * inRound : inRound < 15_000 ? 350 : 350 + 0.25 * (inRound - 15_000);
  const carX = -100 + 0.3 * (atMs % 7000);
  return [
    { label: 'bus', confidence: 0.8, box: [busX, 260, busX + 420, 460] },
    { label: 'car', confidence: 0.7, box: [carX, 260, carX + 110, 320] },
  ];
}

/** Detections → tracker → rule: the tracker loses and renumbers the parked car by itself. */
function watch(random: SeededRandom, { leavesAtMs = Number.POSITIVE_INFINITY, untilMs, memory }: Street) {
  const road = new RoadAnalysis(SCENE);
  if (memory !== undefined) road.recall(memory);
  const matches: RuleMatch[] = [];
  const ids = new Set<number>();
  for (let index = 0; index * 160 <= untilMs; index++) {
    const atMs = index * 160;
    const passing = passTraffic(atMs).map((one) => ({ ...one, box: shake(one.box, random) }));
    const isHidden = passing.some(
      ({ box }) => box[3] > PARKED[3] && computeIntersection(box, PARKED) > 0.4 * computeArea(PARKED),
    );
    const drive = Math.max(0, atMs - leavesAtMs) * 0.15;
    const box: Box = [PARKED[0] + drive, PARKED[1], PARKED[2] + drive, PARKED[3]];
    // the detector loses it for ten seconds in each minute, and now and then
    const isMissed = atMs % 60_000 > 48_000 || random.next() < 0.15;
    const label = random.next() < 0.3 ? ('truck' as const) : ('car' as const);
    const own: Detection[] =
      isHidden || isMissed || box[0] > 1280 ? [] : [{ label, confidence: 0.6, box: shake(box, random) }];
    const found = road.update(
      aFrameMark({ index, mediaTimeMs: atMs }),
      fuseRiders([...own, ...passing]),
      () => undefined,
    );
    matches.push(...found.matches);
    for (const { trackId, box: at } of found.tracks) {
      if (Math.abs(at[0] - PARKED[0]) < 15 && Math.abs(at[3] - PARKED[3]) < 15) ids.add(trackId);
    }
  }
  return { matches, ids, memory: road.remember() };
}

describe('a parked vehicle behind the real tracker', () => {
  it('is one case in eight minutes of buses before it and gaps of the detector', () => {
    forAll(1, (random) => {
      const { matches, ids } = watch(random, { untilMs: 480_000 });
      expect(ids.size).toBeGreaterThan(6);
      expect(matches.filter(({ observation }) => Math.abs(observation.box[0] - PARKED[0]) < 30)).toHaveLength(
        1,
      );
      expect(matches).toHaveLength(1);
    });
  });

  it('is no second case in the next session, and is forgotten once it has left', () => {
    forAll(1, (random) => {
      const first = watch(random, { untilMs: 200_000 });
      expect(first.matches).toHaveLength(1);
      expect(watch(random, { untilMs: 200_000, memory: first.memory }).matches).toEqual([]);
      const left = watch(random, { untilMs: 260_000, leavesAtMs: 195_000 });
      expect(left.matches).toHaveLength(1);
      expect(left.memory['park']).toEqual([]);
    });
  });
});
