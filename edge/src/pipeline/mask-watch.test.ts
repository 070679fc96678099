import { describe, expect, it } from 'vitest';
import type { Frame } from '../frame/frame.ts';
import type { Box } from '../geometry/box.ts';
import type { FaceSight } from '../mask/face-sight.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { MaskWatch, type WatchedPerson } from './mask-watch.ts';

const WIDTH = 320;
const HEIGHT = 240;

/** What a scripted network sees in one picture. */
interface ScriptedFace {
  readonly box: Box;
  readonly maskLogit?: number;
  readonly faceLogit?: number;
  readonly confidence?: number;
}

/** Sees what the script of the current picture says, and counts how often it was asked. */
class ScriptedSight implements FaceSight {
  readonly label = 'script';
  readonly candidateConfidence = 0.3;
  readonly sureConfidence = 0.7;
  faces: readonly ScriptedFace[] = [];
  judged = 0;

  async find() {
    return this.faces.map(({ box, confidence = 0.9 }) => ({ box, confidence }));
  }

  async judge(_: unknown, { box }: { readonly box: Box }) {
    this.judged += 1;
    const face = this.faces.find((entry) => entry.box === box);
    const { faceLogit = 2, maskLogit } = face ?? {};
    const verdict = 'uncertain' as const;
    return { faceLogit, verdict, ...(maskLogit === undefined ? {} : { maskLogit }) };
  }

  async close() {}
}

const random = new SeededRandom(11);
/** Checks of 6 px. */
const CHECKS = Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, at) => {
  const [x, y] = [Math.floor(at / 3) % WIDTH, Math.floor(at / 3 / WIDTH)];
  return ((x / 6) & 1) * 60 * ((y / 6) & 1);
});

/** The checks with the grain of a living picture. */
function aFrame(atMs: number, shade = 90): Frame {
  const pixels = CHECKS.map((value) => value + shade);
  for (let grain = 0; grain < 8_000; grain++)
    pixels[random.integer(0, pixels.length - 1)] = shade + random.integer(0, 60);
  return {
    ...{ session: 's', index: Math.round(atMs / 40), mediaTimeMs: atMs, capturedAtMs: atMs, clockErrorMs: 0 },
    ...{ width: WIDTH, height: HEIGHT, pixels, sourceWidth: WIDTH, sourceHeight: HEIGHT, lamps: [] },
  };
}

const at = (x: number, y = 60, side = 40): Box => [x, y, x + side, y + side];

async function watch(
  script: (atMs: number) => readonly ScriptedFace[],
  { untilMs = 5_000, stepMs = 250, shade = (_: number): number => 90, keepsPictures = false } = {},
): Promise<{ counted: WatchedPerson[]; sight: ScriptedSight }> {
  const sight = new ScriptedSight();
  const masks = new MaskWatch({ sight, keepsPictures });
  const counted: WatchedPerson[] = [];
  for (let atMs = 0; atMs < untilMs; atMs += stepMs) {
    sight.faces = script(atMs);
    counted.push(...(await masks.process(aFrame(atMs, shade(atMs)))).counted);
  }
  return { counted: [...counted, ...masks.finish()], sight };
}

describe('the watch for masks', () => {
  it('counts each of two people once, with a verdict of their own', async () => {
    const { counted } = await watch((atMs) => [
      { box: at(20 + atMs / 50), maskLogit: 3 },
      { box: at(240 - atMs / 50, 160), maskLogit: -3 },
    ]);
    expect(counted.map(({ verdict }) => verdict).sort()).toEqual(['with', 'without']);
  });

  it('counts somebody who was covered for a second once', async () => {
    const { counted } = await watch((atMs) =>
      atMs > 1_500 && atMs < 2_500 ? [] : [{ box: at(100 + atMs / 100), maskLogit: 3 }],
    );
    expect(counted).toMatchObject([{ verdict: 'with' }]);
  });

  it('counts somebody once whose face jumps half its size aside between two pictures', async () => {
    const { counted } = await watch((atMs) => [
      { box: atMs < 1_500 ? at(60 + atMs / 50, 40) : at(60 + atMs / 50, 66), maskLogit: 3 },
    ]);
    expect(counted).toMatchObject([{ verdict: 'with', firstSeenMs: 0, lastSeenMs: 4_750 }]);
  });

  it('counts another one who comes close by where somebody left apart: of another size, or later', async () => {
    const another = { maskLogit: -3 };
    const larger = await watch((atMs) =>
      atMs < 1_500 ? [{ box: at(60, 40, 24), maskLogit: 3 }] : [{ box: at(60, 40, 80), ...another }],
    );
    const later = await watch(
      (atMs) =>
        atMs < 1_500 ? [{ box: at(60), maskLogit: 3 }] : atMs < 5_000 ? [] : [{ box: at(68), ...another }],
      { untilMs: 8_000 },
    );
    for (const { counted } of [larger, later])
      expect(counted.map(({ verdict }) => verdict)).toEqual(['with', 'without']);
  });

  it('counts those before and after a jump of the view apart', async () => {
    const { counted } = await watch(() => [{ box: at(100), maskLogit: 3 }], {
      shade: (atMs) => (atMs < 2_500 ? 20 : 150),
    });
    expect(counted).toHaveLength(2);
    expect(new Set(counted.map(({ personId }) => personId)).size).toBe(2);
  });

  it('judges nobody on a face that is too small, and says why', async () => {
    const { counted, sight } = await watch(() => [{ box: at(100, 60, 6), maskLogit: 3 }]);
    expect(counted).toMatchObject([{ verdict: 'uncertain', doubt: 'too-small' }]);
    expect(sight.judged).toBe(0);
  });

  it('does not count what the judge does not take for a face, nor what was seen twice', async () => {
    const { counted } = await watch((atMs) => [
      { box: at(100), maskLogit: -3, faceLogit: -1 },
      ...(atMs < 500 ? [{ box: at(240, 160), maskLogit: 3 }] : []),
    ]);
    expect(counted).toEqual([]);
  });

  it('asks the judge no more often than a person needs, and counts who stays after a minute', async () => {
    const { counted, sight } = await watch(() => [{ box: at(100), maskLogit: 3 }], {
      untilMs: 70_000,
      stepMs: 1_000,
    });
    expect(counted).toMatchObject([{ verdict: 'with', looks: 6 }]);
    expect(counted[0]?.lastSeenMs).toBeLessThanOrEqual(61_000);
    expect(sight.judged).toBe(6);
  });

  it('keeps the clearest picture of who wears no mask, with every face in it, only where it is asked to', async () => {
    const script = (atMs: number) => [
      { box: at(20), maskLogit: atMs === 1_000 ? -3 : -2 },
      { box: at(200), maskLogit: 3 },
    ];
    const { counted } = await watch(script, { keepsPictures: true });
    const bare = counted.find(({ verdict }) => verdict === 'without');
    expect(bare?.picture?.frame.capturedAtMs).toBe(1_000);
    expect(bare?.picture?.faces).toHaveLength(2);
    expect(counted.find(({ verdict }) => verdict === 'with')).not.toHaveProperty('picture');
    expect((await watch(script)).counted.every(({ picture }) => picture === undefined)).toBe(true);
  });

  it('leaves a person undecided whom nobody can tell', async () => {
    const { counted } = await watch(() => [{ box: at(100) }]);
    expect(counted).toMatchObject([{ verdict: 'uncertain', doubt: 'unclear' }]);
  });
});
