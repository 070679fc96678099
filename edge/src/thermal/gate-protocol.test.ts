import { type GateState, SCREENING_REFUSALS, type ScreeningRefusal } from '@ngatu/contract';
import { describe, expect, it } from 'vitest';
import { forAll } from '../testing/seeded-random.ts';
import type { BlackbodyReading } from './blackbody.ts';
import type { FaceReading } from './face-reading.ts';
import { cueOf, REFUSAL_TEXTS } from './gate-cue.ts';
import { DEFAULT_GATE_LIMITS, type GateInput, GateProtocol, type GateStep } from './gate-protocol.ts';
import type { FrameJudgement, GateOptics } from './passage.ts';
import { SELF_CHECK_FRAMES } from './self-check.ts';

const BEGIN_MS = Date.UTC(2026, 0, 5, 8);
const HOUR_MS = 3_600_000;
const FRAME_MS = 111;
const OPTICS: GateOptics = {
  blackbody: {
    region: { x: 0, y: 0, width: 10, height: 10 },
    setC: 35,
    emissivity: 0.98,
    toleranceC: 2,
    accuracyC: 0.1,
  },
  distanceM: 1,
  minFaceWidthPx: 180,
  uniformityC: 0.15,
  band: 1_480,
};
const FRAME = { width: 8, height: 8, celsius: new Float32Array(64).fill(22) };
const BLACKBODY: BlackbodyReading = { celsius: 35, offsetC: 0.2, spreadC: 0.05 };
const refused = (refusal: ScreeningRefusal): FrameJudgement => ({
  kind: 'refused',
  refusal,
  blackbody: BLACKBODY,
});
const nobody = refused('no-person');

function face(over: Partial<FaceReading> = {}, offsetC = 0.2): FrameJudgement {
  const outline = {
    top: 0,
    bottom: 250,
    width: 200,
    left: new Float64Array(),
    right: new Float64Array(),
    centreX: 320,
    hasNeck: true,
  };
  const reading = { face: outline, canthusC: 34.9, faceMaximumC: 34.9, anchorX: 320, anchorY: 200, ...over };
  return { kind: 'face', reading, blackbody: { ...BLACKBODY, offsetC } };
}

/** Feeds judgements at nine frames a second into a gate that is warm, checked and in a good room. */
class Rig {
  readonly gate: GateProtocol;
  #atMs = BEGIN_MS;

  constructor(options: { poweredOnMs?: number; checkedMs?: number | 'never' } = {}) {
    const { poweredOnMs = BEGIN_MS - HOUR_MS, checkedMs = BEGIN_MS } = options;
    this.gate = new GateProtocol({
      optics: OPTICS,
      poweredOnMs,
      ...(checkedMs === 'never' ? {} : { checkedMs }),
    });
  }

  feed(judgements: readonly FrameJudgement[], over: Partial<GateInput> = {}): GateStep[] {
    return judgements.map((judgement) => {
      this.#atMs += FRAME_MS;
      const ambient = { celsius: 22, relativeHumidity: 0.4, atMs: this.#atMs };
      return this.gate.observe({ atMs: this.#atMs, frame: FRAME, judgement, ambient, ...over });
    });
  }

  wait(ms: number): void {
    this.#atMs += ms;
  }
}

const times = (count: number, judgement: FrameJudgement): FrameJudgement[] =>
  Array.from({ length: count }, () => judgement);
const states = (steps: readonly GateStep[]): GateState[] => [...new Set(steps.map(({ state }) => state))];
const ends = (steps: readonly GateStep[]) => steps.flatMap(({ end }) => end ?? []);

describe('a gate', () => {
  it('measures one person who holds still, once, and waits until the person has left', () => {
    const rig = new Rig();
    const steps = rig.feed([...times(2, nobody), ...times(30, face())]);
    expect(states(steps)).toEqual(['idle', 'measuring']);
    expect(ends(steps)).toMatchObject([{ kind: 'measured', passage: { method: 'inner-canthi', frames: 6 } }]);
    expect(steps.findIndex(({ end }) => end !== undefined)).toBe(7);
    expect(ends(rig.feed([...times(2, nobody), ...times(10, face())]))).toEqual([]);
    expect(ends(rig.feed([...times(3, nobody), ...times(10, face())]))).toHaveLength(1);
  });

  it('says what to do, and measures when it was done', () => {
    const rig = new Rig();
    const steps = rig.feed([...times(8, refused('eyes-covered')), ...times(8, face())]);
    expect(steps[3]).toMatchObject({ state: 'positioning', refusal: 'eyes-covered' });
    expect(ends(steps)).toMatchObject([{ kind: 'measured' }]);
  });

  it('sends to the thermometer who cannot be measured in time, once', () => {
    const steps = new Rig().feed(times(200, refused('turned-away')));
    expect(ends(steps)).toEqual([{ kind: 'refused', refusal: 'turned-away' }]);
    expect(steps.at(-1)?.state).toBe('refused');
  });

  it('counts who leaves without a reading as refused, by the main reason', () => {
    const steps = new Rig().feed([
      ...times(2, refused('moving')),
      ...times(5, refused('too-far')),
      ...times(4, nobody),
    ]);
    expect(ends(steps)).toEqual([{ kind: 'refused', refusal: 'too-far' }]);
  });

  it('begins anew where the person moves or another face comes between', () => {
    const still = times(5, face());
    const moved = new Rig().feed([...still, face({ anchorX: 340 }), ...times(5, face({ anchorX: 340 }))]);
    expect(moved[5]).toMatchObject({ state: 'positioning', refusal: 'moving' });
    expect(ends(moved)).toEqual([]);
    const crowd = new Rig().feed([...still, ...times(2, refused('several-people')), ...times(5, face())]);
    expect(ends(crowd)).toEqual([]);
    const drift = Array.from({ length: 40 }, (_, i) => face({ anchorX: 320 + 3 * i }));
    expect(ends(new Rig().feed(drift)).length).toBeLessThanOrEqual(1);
  });

  it('takes the face maximum, with more uncertainty, where the canthi do not stand out', () => {
    const reading = {
      face: { ...({} as FaceReading['face']), width: 200 },
      faceMaximumC: 34.8,
      anchorX: 320,
      anchorY: 200,
    };
    const judgement: FrameJudgement = { kind: 'face', reading, blackbody: BLACKBODY };
    const [maximum] = ends(new Rig().feed(times(6, judgement)));
    const [canthi] = ends(new Rig().feed(times(6, face())));
    if (maximum?.kind !== 'measured' || canthi?.kind !== 'measured') throw new Error('no reading');
    expect(maximum.passage.method).toBe('face-maximum');
    expect(maximum.passage.skin.standardC).toBeGreaterThan(canthi.passage.skin.standardC + 0.05);
  });

  it('stands aside while it is cold, while the room is unknown or out of limits, and while a blackbody fails', () => {
    const cold = new Rig({ poweredOnMs: BEGIN_MS - 60_000 });
    expect(cold.feed(times(9, face())).at(-1)).toMatchObject({ state: 'warming-up', refusal: 'warming-up' });
    const room = (celsius: number, relativeHumidity: number, ageMs = 0) => ({
      ambient: { celsius, relativeHumidity, atMs: BEGIN_MS - ageMs },
    });
    const limits: [Partial<GateInput>, ScreeningRefusal][] = [
      [room(19.9, 0.4), 'ambient-out-of-limits'],
      [room(24.1, 0.4), 'ambient-out-of-limits'],
      [room(22, 0.51), 'ambient-out-of-limits'],
      [room(22, 0.09), 'ambient-out-of-limits'],
      [room(22, 0.4, HOUR_MS), 'ambient-unknown'],
    ];
    for (const [over, refusal] of limits) {
      const steps = new Rig().feed(times(20, face()), over);
      expect(ends(steps)).toEqual([]);
      expect(steps.at(-1)).toMatchObject({ state: 'out-of-service', refusal });
    }
    const lost = new Rig().feed([...times(4, face()), refused('blackbody-missing'), ...times(4, face())]);
    expect(lost[4]).toMatchObject({ state: 'out-of-service', refusal: 'blackbody-missing' });
    expect(ends(lost)).toEqual([]);
    const running = Array.from({ length: 8 }, (_, i) => face({}, 0.2 + 0.08 * i));
    expect(ends(new Rig().feed(running))).toEqual([]);
  });

  it('checks itself before the first person and every day, and stands aside where it fails', () => {
    const rig = new Rig({ checkedMs: 'never' });
    const checking = rig.feed(times(SELF_CHECK_FRAMES, nobody));
    expect(checking[0]).toMatchObject({ state: 'checking', refusal: 'self-check-due' });
    expect(checking.at(-1)?.selfCheck?.passed).toBe(true);
    expect(ends(rig.feed(times(8, face())))).toHaveLength(1);
    rig.feed(times(5, nobody));
    rig.wait(DEFAULT_GATE_LIMITS.selfCheckEveryMs);
    const failing = rig.feed(times(SELF_CHECK_FRAMES, { kind: 'refused', refusal: 'blackbody-missing' }));
    expect(failing.at(-1)).toMatchObject({ state: 'out-of-service', selfCheck: { passed: false } });
    expect(failing.at(-1)?.selfCheck?.items.find(({ name }) => name === 'blackbody-seen')?.passed).toBe(
      false,
    );
    expect(rig.feed(times(3, face())).at(-1)).toMatchObject({ refusal: 'self-check-failed' });
    rig.wait(DEFAULT_GATE_LIMITS.selfCheckRetryMs);
    expect(rig.feed(times(SELF_CHECK_FRAMES, nobody)).at(-1)?.selfCheck?.passed).toBe(true);
  });

  it('tells at most one end for each stay, whatever comes', () => {
    const kinds = [...SCREENING_REFUSALS.slice(1, 12).map(refused), face(), face(), face({ anchorX: 330 })];
    forAll(200, (random) => {
      const rig = new Rig();
      const stay = Array.from(
        { length: random.integer(1, 150) },
        () => kinds[random.integer(0, kinds.length - 1)] ?? nobody,
      );
      const left = rig.feed([...stay, ...times(4, nobody)]);
      expect(ends(left).length).toBeLessThanOrEqual(1);
      expect(left.at(-1)?.state).toBe('idle');
    });
  });
});

describe('what a gate shows', () => {
  it('has an instruction in both languages for every refusal, and says "ill" nowhere', () => {
    for (const refusal of SCREENING_REFUSALS) {
      expect(REFUSAL_TEXTS[refusal].vi.length).toBeGreaterThan(5);
      expect(REFUSAL_TEXTS[refusal].en.length).toBeGreaterThan(5);
    }
    const all = JSON.stringify([REFUSAL_TEXTS, cueOf('measure'), cueOf('passed'), cueOf('refused')]);
    expect(all).not.toMatch(/fever|sốt|\bill\b|bệnh|\bred\b/i);
    expect(cueOf('measure').colour).toBe('amber');
  });
});
