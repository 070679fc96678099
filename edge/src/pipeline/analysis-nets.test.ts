import { describe, expect, it } from 'vitest';
import type { Detection, Detector } from '../detect/detection.ts';
import type { HelmetReading } from '../helmet/helmet-net.ts';
import type { LampNetReading } from '../signal/lamp-net.ts';
import { aDetection, aScene, SESSION_START_MS } from '../testing/builder.ts';
import { drawLamp } from '../testing/lamp-picture.ts';
import { computeScriptedBox, type ScriptedRoadUser } from '../testing/scripted-road-user.ts';
import type { OccupantShares } from '../track/track.ts';
import { type AnalysedFrame, Analysis, type AnalysisContext } from './analysis.ts';

const SCENE = aScene({
  rules: [
    { name: 'red-light', kind: 'RED_LIGHT', stopLine: 'stop-line', signal: 'main' },
    { name: 'helmet', kind: 'NO_HELMET' },
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

const detector: Detector = {
  model: { name: 'scripted', sha256: 'a'.repeat(64) },
  detect: async (frame): Promise<Detection[]> => {
    const box = computeScriptedBox(RIDER, frame.mediaTimeMs);
    if (box === undefined) return [];
    const [x1, y1, x2, y2] = box;
    const person = [x1 + 2, y1, x2 - 2, y1 + 0.75 * (y2 - y1)] as const;
    return [
      aDetection({ label: 'person', confidence: 0.9, box: person }),
      aDetection({ label: 'motorbike', confidence: 0.6, box: [x1, y1 + 0.4 * (y2 - y1), x2, y2] }),
    ];
  },
  close: async () => undefined,
};

/** The light turns red after a second; the rider crosses the line a second later. */
async function analyse(context: AnalysisContext, scene = SCENE): Promise<AnalysedFrame[]> {
  const analysis = new Analysis(scene, detector, context);
  const frames: AnalysedFrame[] = [];
  for (let mediaTimeMs = 0; mediaTimeMs <= 4000; mediaTimeMs += 80) {
    const lit = mediaTimeMs < 1000 ? 'green' : 'red';
    frames.push(
      await analysis.process({
        ...{
          session: 's',
          index: mediaTimeMs / 80,
          mediaTimeMs,
          capturedAtMs: SESSION_START_MS + mediaTimeMs,
        },
        // twice the size of the source, so that heads have pixels enough
        ...{
          clockErrorMs: 0,
          width: 1280,
          height: 960,
          pixels: new Uint8Array(),
          sourceWidth: 640,
          sourceHeight: 480,
        },
        lamps: [drawLamp({ lit })],
      }),
    );
  }
  return frames;
}

const lampSays = (state: LampNetReading['state'], confidence = 0.95) => ({
  read: async () => ({ state, confidence, arrow: 0 }),
});
const kindsOf = (frames: readonly AnalysedFrame[]) =>
  frames.flatMap(({ matches }) => matches.map(({ kind }) => kind));

describe('an analysis with a network for lamps', () => {
  it('flags who runs a red that both see', async () => {
    const net = {
      read: async (crop: { pixels: Uint8Array }) => {
        const isRed = crop.pixels.join() === drawLamp({ lit: 'red' }).pixels.join();
        return { state: isRed ? 'red' : 'green', confidence: 0.95, arrow: 0 } as const;
      },
    };
    expect(kindsOf(await analyse({ lampNet: net }))).toContain('RED_LIGHT');
  });

  it.each<[string, NonNullable<AnalysisContext['lampNet']>]>([
    ['says green', lampSays('green')],
    ['says off', lampSays('off')],
    ['is not sure', lampSays('red', 0.4)],
    ['sees nothing', { read: async () => undefined }],
  ])('flags nobody where the colours say red and the network %s', async (_, lampNet) => {
    const frames = await analyse({ lampNet });
    expect(kindsOf(frames)).not.toContain('RED_LIGHT');
    expect(frames.at(-1)?.signals.get('main')?.state).not.toBe('red');
  });
});

describe('an analysis with a network for helmets', () => {
  const headsAre = (state: HelmetReading['state'], confidence = 0.95) => ({
    read: async () => ({ state, confidence }),
  });

  it('flags a bare head once, as a case that a human must check', async () => {
    const frames = await analyse({ helmetNet: headsAre('bare') });
    const matches = frames.flatMap((frame) => frame.matches).filter(({ kind }) => kind === 'NO_HELMET');
    expect(matches).toHaveLength(1);
    expect(matches[0]?.explanation.en).toContain('human check needed');
    expect(matches[0]?.explanation.vi).toContain('cần người kiểm tra');
  });

  it('flags nobody with a helmet, nobody in doubt, and nobody without a network', async () => {
    expect(kindsOf(await analyse({ helmetNet: headsAre('helmet') }))).not.toContain('NO_HELMET');
    expect(kindsOf(await analyse({ helmetNet: headsAre('bare', 0.7) }))).not.toContain('NO_HELMET');
    expect(kindsOf(await analyse({}))).not.toContain('NO_HELMET');
  });
});

describe('an analysis with a network that counts riders', () => {
  const RIDE = aScene({ rules: [{ name: 'too-many', kind: 'OVERLOADED' }] });
  const counting = (shares: OccupantShares, looked: { times: number } = { times: 0 }) => ({
    count: async () => {
      looked.times += 1;
      return shares;
    },
  });

  it('flags once who carries three, by what the network says', async () => {
    const frames = await analyse({ occupantNet: counting([0, 0, 0.1, 0.9]) }, RIDE);
    expect(kindsOf(frames)).toEqual(['OVERLOADED']);
  });

  it('flags nobody with two, and nobody without a network, where one person was found', async () => {
    expect(kindsOf(await analyse({ occupantNet: counting([0, 0.1, 0.8, 0.1]) }, RIDE))).toEqual([]);
    expect(kindsOf(await analyse({}, RIDE))).toEqual([]);
  });

  it('does not look where no rule asks how many ride', async () => {
    const looked = { times: 0 };
    await analyse({ occupantNet: counting([0, 0, 0, 1], looked) });
    expect(looked.times).toBe(0);
  });
});
