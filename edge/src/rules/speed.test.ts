import type { RoadUserLabel, Scene } from '@ngatu/contract';
import { describe, expect, it } from 'vitest';
import type { Box } from '../geometry/box.ts';
import { aFrameMark, aScene, aTrack } from '../testing/builder.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { projectPlace, type SimulatedCamera } from '../testing/simulated-camera.ts';
import type { RuleMatch } from './rule.ts';
import { SpeedRule } from './speed.ts';
import { TrackHistory } from './track-history.ts';

const CAMERA: SimulatedCamera = { width: 1280, height: 720, focalPx: 1000, depressionDeg: 20, heightM: 8 };
const CORNERS = [
  [-6, 14],
  [6, 14],
  [6, 45],
  [-6, 45],
] as const;

function aSpeedScene(
  rule: Record<string, unknown> = {},
  pairs: readonly (readonly [number, number])[] = CORNERS,
): Scene {
  return aScene({
    picture: { width: CAMERA.width, height: CAMERA.height },
    calibration: {
      pairs: pairs.map((ground) => ({ image: [...projectPlace(CAMERA, ground)], ground: [...ground] })),
      imageErrorPx: 1,
      groundErrorM: 0.03,
    },
    zones: [{ name: 'road', polygon: CORNERS.map((corner) => [...projectPlace(CAMERA, corner)]) }],
    rules: [{ name: 'speed', kind: 'SPEED', zone: 'road', limitKmh: 50, ...rule }],
  });
}

interface Drive {
  readonly label?: RoadUserLabel;
  readonly speedKmh: number;
  readonly fps?: number;
  readonly fromM?: number;
  readonly toM?: number;
  readonly seed?: number;
  /** What is found instead of the box at a distance, m. */
  readonly disturb?: (box: Box, y: number) => Box;
}

/** Somebody comes towards the camera from `fromM` to `toM` at an even speed. */
function drive(
  scene: Scene,
  { label = 'car', speedKmh, fps = 12.5, fromM = 55, toM = 12, seed = 1, disturb = (box) => box }: Drive,
): RuleMatch[] {
  const parameters = scene.rules[0];
  if (parameters?.kind !== 'SPEED') throw new Error('no speed rule');
  const rule = new SpeedRule(parameters, scene);
  const history = new TrackHistory();
  const random = new SeededRandom(seed);
  const speed = speedKmh / 3.6;
  const matches: RuleMatch[] = [];
  for (let index = 0; ; index++) {
    const mediaTimeMs = (index * 1000) / fps;
    const y = fromM - (speed * mediaTimeMs) / 1000;
    if (y < toM - 3 - 3 * speed) return matches;
    const seen = y > toM;
    const frame = aFrameMark({ index, mediaTimeMs });
    const box = seen ? disturb(boxAt(y, random), y) : ([0, 0, 10, 10] as const);
    const track = aTrack({
      trackId: 1,
      label,
      box,
      seen,
      groundSeen: seen,
      state: seen ? 'confirmed' : 'lost',
    });
    history.add(frame, [track]);
    matches.push(
      ...rule.update({
        frame,
        pictureWidth: CAMERA.width,
        pictureHeight: CAMERA.height,
        tracks: [track],
        history,
        signalAt: () => undefined,
      }),
    );
  }
}

function boxAt(y: number, random: SeededRandom): Box {
  const [left, bottom] = projectPlace(CAMERA, [-0.9, y]);
  const [right] = projectPlace(CAMERA, [0.9, y]);
  const [, top] = projectPlace(CAMERA, [0, y + 4.4, 1.4]);
  const jitter = 0.02 * (bottom - top);
  return [
    left + jitter * random.gaussian(),
    top + jitter * random.gaussian(),
    right + jitter * random.gaussian(),
    bottom + jitter * random.gaussian(),
  ];
}

describe('SpeedRule', () => {
  it('fires once on who drives surely too fast, with speed, interval and limit', () => {
    const matches = drive(aSpeedScene(), { speedKmh: 75 });
    expect(matches).toHaveLength(1);
    const [match] = matches;
    expect(match?.kind).toBe('SPEED');
    expect(match?.measures['speedKmh']).toBeGreaterThan(72);
    expect(match?.measures['speedKmh']).toBeLessThan(78);
    expect(match?.measures['speedLowKmh']).toBeLessThan(75);
    expect(match?.measures['speedHighKmh']).toBeGreaterThan(75);
    expect(match?.measures['limitKmh']).toBe(50);
    expect(match?.explanation.en).toMatch(/drove 7\d\.\d km\/h \(95 % interval .*limit is 50 km\/h/);
    expect(match?.explanation.vi).toMatch(/chạy 7\d,\d km\/h .*giới hạn là 50 km\/h/);
  });

  it('lets go who is inside limit and tolerance, or not surely above it, whatever the jitter', () => {
    for (let seed = 1; seed <= 25; seed++) {
      for (const speedKmh of [30, 50, 55]) expect(drive(aSpeedScene(), { speedKmh, seed })).toEqual([]);
    }
  });

  it('finds the same at every frame rate', () => {
    for (const fps of [6, 10, 15, 30]) {
      expect(drive(aSpeedScene(), { speedKmh: 72, fps }), `${fps} fps`).toHaveLength(1);
      expect(drive(aSpeedScene(), { speedKmh: 50, fps }), `${fps} fps`).toHaveLength(0);
    }
  });

  it('is neither thrown off nor bent by a box that is found badly', () => {
    const once: Drive['disturb'] = ([x1, y1, x2, y2], y) => {
      const aside = y > 25 && y < 27 ? 0.15 * (y2 - y1) : 0;
      return [x1 + aside, y1, x2 + aside, y2];
    };
    const [match] = drive(aSpeedScene(), { speedKmh: 75, disturb: once });
    expect(Math.abs((match?.measures['speedKmh'] ?? 0) - 75)).toBeLessThan(3);
    for (let seed = 1; seed <= 10; seed++) {
      expect(drive(aSpeedScene(), { speedKmh: 54, disturb: once, seed })).toEqual([]);
    }
  });

  it('tells nothing of two that are taken for one', () => {
    // half way the box is that of another car, a length and a half ahead
    const leap: Drive['disturb'] = (box, y) => (y > 30 ? box : boxAt(y - 6.6, new SeededRandom(9)));
    for (const speedKmh of [50, 75]) expect(drive(aSpeedScene(), { speedKmh, disturb: leap })).toEqual([]);
  });

  it('knows limits by class and looks at its labels only', () => {
    const scene = aSpeedScene({ limits: { truck: 30 }, labels: ['car', 'truck'] });
    expect(drive(scene, { speedKmh: 48, label: 'truck' })).toHaveLength(1);
    expect(drive(scene, { speedKmh: 48, label: 'car' })).toHaveLength(0);
    expect(drive(scene, { speedKmh: 90, label: 'motorbike' })).toHaveLength(0);
  });

  it('needs the way that the scene asks for inside the zone', () => {
    const scene = aSpeedScene({ minTravelM: 20 });
    expect(drive(scene, { speedKmh: 90, fromM: 26, toM: 16 })).toHaveLength(0);
    expect(drive(scene, { speedKmh: 90 })).toHaveLength(1);
  });

  it('judges a long passage in parts of four seconds, and tells one road user once', () => {
    const matches = drive(aSpeedScene({ limitKmh: 10 }), { speedKmh: 22, toM: 14 });
    expect(matches).toHaveLength(1);
    expect(matches[0]?.measures['durationMs']).toBeGreaterThanOrEqual(4_000);
    expect(matches[0]?.measures['durationMs']).toBeLessThan(4_200);
  });

  it('is blocked by a calibration that cannot be used, and throws nothing', () => {
    const scene = aSpeedScene({}, [
      [0, 15],
      [0, 20],
      [0, 30],
      [0, 40],
    ]);
    const parameters = scene.rules[0];
    if (parameters?.kind !== 'SPEED') throw new Error('no speed rule');
    expect(new SpeedRule(parameters, scene).blockedBy).toBe('calibration-invalid');
    expect(drive(scene, { speedKmh: 90 })).toEqual([]);
  });
});
