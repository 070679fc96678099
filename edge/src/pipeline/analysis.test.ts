import type { Directive, Scene } from '@ngatu/contract';
import { describe, expect, it } from 'vitest';
import type { Detection, Detector } from '../detect/detection.ts';
import type { Frame } from '../frame/frame.ts';
import { aDetection, aScene, SESSION_START_MS } from '../testing/builder.ts';
import { drawLamp } from '../testing/lamp-picture.ts';
import { computeScriptedBox, type ScriptedRoadUser } from '../testing/scripted-road-user.ts';
import { type AnalysedFrame, Analysis } from './analysis.ts';

const SCENE = aScene({
  rules: [
    { name: 'red-light', kind: 'RED_LIGHT', stopLine: 'stop-line', signal: 'main' },
    { name: 'count', kind: 'LINE_COUNT', tripwire: 'stop-line' },
  ],
});

const RIDER: ScriptedRoadUser = {
  trackId: 1,
  label: 'motorbike',
  path: [
    { atMs: 0, rear: [320, 460] },
    { atMs: 4000, rear: [320, 120] },
  ],
};

/** Says of each frame what the script has there: the lower part is found as the bike, the upper as its rider. */
class ScriptedDetector implements Detector {
  readonly model = { name: 'scripted', sha256: 'a'.repeat(64) };

  async detect(frame: Frame): Promise<Detection[]> {
    const box = computeScriptedBox(RIDER, frame.mediaTimeMs);
    if (box === undefined) return [];
    const [x1, y1, x2, y2] = box;
    const height = y2 - y1;
    return [
      aDetection({ label: 'person', confidence: 0.9, box: [x1 + 2, y1, x2 - 2, y1 + 0.75 * height] }),
      aDetection({ label: 'motorbike', confidence: 0.6, box: [x1, y1 + 0.4 * height, x2, y2] }),
    ];
  }

  async close(): Promise<void> {}
}

async function analyse(
  lampAt: (atMs: number) => 'red' | 'green',
  scene: Scene = SCENE,
  directivesAt: (atMs: number) => readonly Directive[] = () => [],
  detector: Detector = new ScriptedDetector(),
): Promise<AnalysedFrame[]> {
  const analysis = new Analysis(scene, detector, { directivesAt });
  const frames: AnalysedFrame[] = [];
  for (let index = 0; index * 80 <= 4000; index++) {
    const mediaTimeMs = index * 80;
    frames.push(
      await analysis.process({
        session: 'scripted',
        index,
        mediaTimeMs,
        capturedAtMs: SESSION_START_MS + mediaTimeMs,
        clockErrorMs: 0,
        width: 1,
        height: 1,
        pixels: new Uint8Array(3),
        sourceWidth: 640,
        sourceHeight: 480,
        lamps: [drawLamp({ lit: lampAt(mediaTimeMs) })],
      }),
    );
  }
  return frames;
}

describe('Analysis', () => {
  it('reads the lamp, joins rider and bike, follows them and flags the crossing once', async () => {
    const frames = await analyse((atMs) => (atMs < 1000 ? 'green' : 'red'));
    const matches = frames.flatMap((frame) => frame.matches);
    expect(matches).toHaveLength(1);
    const [match] = matches;
    expect(match).toMatchObject({ kind: 'RED_LIGHT', label: 'motorbike', trackId: 1 });
    expect(match?.observation.frame).toEqual({
      index: 24,
      mediaTimeMs: 1920,
      capturedAtMs: SESSION_START_MS + 1920,
    });
    expect(match?.observation.occupants).toHaveLength(1);
    // red was first read in the frame at 1040 ms; the rear was on the line at 1882 ms
    expect(match?.signal?.sinceMs).toBeCloseTo(1882 - 1040, -1);
    expect(frames.flatMap((frame) => frame.crossings)).toMatchObject([
      { direction: 'forward', label: 'motorbike' },
    ]);
    expect(new Set(frames.flatMap(({ tracks }) => tracks.map(({ trackId }) => trackId)))).toEqual(
      new Set([1]),
    );
  });

  it('tells of every frame what was found, read and believed', async () => {
    const frames = await analyse((atMs) => (atMs < 1000 ? 'green' : 'red'));
    expect(frames[0]).toMatchObject({
      frame: { index: 0, mediaTimeMs: 0 },
      tracks: [{ state: 'tentative' }],
    });
    expect(frames[0]?.detections).toHaveLength(2);
    // the first red picture is read at once, and believed with the second
    expect(frames[13]?.readings.get('main')?.state).toBe('red');
    expect(frames[13]?.signals.get('main')?.state).toBe('green');
    expect(frames[14]?.signals.get('main')).toMatchObject({ state: 'red', sinceMs: 1040, onsetSeen: true });
  });

  it('flags nothing on green, and nothing where the lamp belongs to another scene', async () => {
    expect((await analyse(() => 'green')).flatMap((frame) => frame.matches)).toEqual([]);
    const renamed = aScene({
      signals: [{ name: 'other', box: [600, 100, 620, 160] }],
      rules: [{ name: 'red-light', kind: 'RED_LIGHT', stopLine: 'stop-line', signal: 'other' }],
    });
    const frames = await analyse(() => 'red', renamed);
    expect(frames.flatMap((frame) => frame.matches)).toEqual([]);
    expect(frames[0]?.readings.size).toBe(0);
  });

  it('asks what was declared for the instant of the violation', async () => {
    const asked: number[] = [];
    const officer: Directive = {
      directiveId: `di-${'0'.repeat(32)}`,
      camera: 'crossroads',
      kind: 'officer-directing',
      from: new Date(SESSION_START_MS).toISOString(),
      until: new Date(SESSION_START_MS + 60_000).toISOString(),
      reason: 'an officer stands at the crossing',
    };
    const frames = await analyse(
      (atMs) => (atMs < 1000 ? 'green' : 'red'),
      SCENE,
      (atMs) => {
        asked.push(atMs);
        return [officer];
      },
    );
    const matches = frames.flatMap((frame) => frame.matches);
    expect(matches.map(({ letPass }) => letPass?.reason)).toEqual(['officer-directing']);
    expect(asked).toEqual([SESSION_START_MS + 1920]);
  });

  it('looks closer where its scene says so, and takes what is found twice for one', async () => {
    const looks: string[] = [];
    class Witness extends ScriptedDetector {
      override detect(frame: Frame): Promise<Detection[]> {
        looks.push(`${frame.width} of ${frame.sourceWidth}`);
        return super.detect(frame);
      }
    }
    const lampAt = (atMs: number) => (atMs < 1000 ? 'green' : 'red');
    const closeUps = [{ box: [0, 0, 640, 480] as [number, number, number, number], enlarge: 0.5 }];
    const closer = aScene({ ...SCENE, analysis: { ...SCENE.analysis, closeUps } });
    expect(await analyse(lampAt, closer, () => [], new Witness())).toEqual(await analyse(lampAt));
    expect(looks.slice(0, 4)).toEqual(['1 of 640', '320 of 640', '1 of 640', '320 of 640']);
  });

  it('follows no thing that only looks like a road user, and keeps it among what is blurred', async () => {
    const thing = aDetection({ label: 'person', confidence: 0.8, box: [40, 100, 60, 150] });
    class Street extends ScriptedDetector {
      override async detect(frame: Frame): Promise<Detection[]> {
        return [thing, ...(await super.detect(frame))];
      }
    }
    const lampAt = () => 'green' as const;
    const lookalikes = [{ box: [41, 99, 60, 151] as [number, number, number, number] }];
    const scene = aScene({ ...SCENE, analysis: { ...SCENE.analysis, lookalikes } });
    const without = await analyse(lampAt, SCENE, () => [], new Street());
    const frames = await analyse(lampAt, scene, () => [], new Street());
    const labels = (all: readonly AnalysedFrame[]) =>
      new Set(all.flatMap(({ tracks }) => tracks.map(({ label }) => label)));
    expect(labels(without)).toEqual(new Set(['person', 'motorbike']));
    expect(labels(frames)).toEqual(new Set(['motorbike']));
    expect(frames.every(({ detections }) => detections.includes(thing))).toBe(true);
  });

  it('gives the same result twice', async () => {
    const lampAt = (atMs: number) => (atMs < 1000 ? 'green' : 'red');
    expect(await analyse(lampAt)).toEqual(await analyse(lampAt));
  });
});
