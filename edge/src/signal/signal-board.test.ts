import type { SignalState } from '@ngatu/contract';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../testing/seeded-random.ts';
import { ControllerSignal } from './controller-signal.ts';
import { type ExternalSignal, SignalBoard } from './signal-board.ts';

/** The session's media time 0 on the node's clock. */
const ANCHOR = Date.UTC(2026, 0, 5, 8, 0, 0);
const HEAD = { name: 'main', box: [0, 0, 10, 30], lenses: ['red', 'amber', 'green'] } as const;
const HEADS = [
  { ...HEAD, box: [0, 0, 10, 30] as [number, number, number, number], lenses: [...HEAD.lenses] },
];
const FRAME_MS = 80;
const CYCLE = [
  { state: 'red', ms: 20_000 },
  { state: 'green', ms: 17_000 },
  { state: 'amber', ms: 3_000 },
] as const;
const CYCLE_MS = 40_000;

/** What the junction really shows at a media time. */
function truth(mediaMs: number): { state: SignalState; sinceMs: number } {
  let restMs = ((mediaMs % CYCLE_MS) + CYCLE_MS) % CYCLE_MS;
  for (const { state, ms } of CYCLE) {
    if (restMs < ms) return { state, sinceMs: mediaMs - restMs };
    restMs -= ms;
  }
  return { state: 'unknown', sinceMs: mediaMs };
}

interface Said {
  readonly state: SignalState;
  readonly sinceMs: number;
}

/** A junction with its lamp in the picture and its controller on the wire, run picture by picture. */
class Junction {
  readonly controller = new ControllerSignal({ clock: 'controller', maxClockErrorMs: 1_500, validMs: 2_500 });
  readonly board: SignalBoard;
  #mediaMs = 0;
  #toldMs = Number.NEGATIVE_INFINITY;
  #told: SignalState | undefined;

  constructor(external: Partial<Omit<ExternalSignal, 'signal' | 'source'>> = {}) {
    const bounds = { lamp: 'check', maxOffsetMs: 2_000, maxDisagreementMs: 1_500 } as const;
    this.board = new SignalBoard(HEADS, [
      { signal: 'main', source: this.controller, ...bounds, ...external },
    ]);
  }

  /** Runs until `untilMs`. `lamp` and `controller` change what each of them shows; undefined is silence. */
  run(
    untilMs: number,
    faults: {
      lamp?: (mediaMs: number) => SignalState;
      controller?: (mediaMs: number) => Said | undefined;
      clockErrorMs?: number;
    } = {},
  ): void {
    const { lamp = (at) => truth(at).state, controller = truth, clockErrorMs = 20 } = faults;
    for (; this.#mediaMs < untilMs; this.#mediaMs += FRAME_MS) {
      const said = controller(this.#mediaMs);
      if (said !== undefined && (said.state !== this.#told || this.#mediaMs - this.#toldMs >= 1_000)) {
        this.#told = said.state;
        this.#toldMs = this.#mediaMs;
        const sentMs = ANCHOR + this.#mediaMs;
        const message = { state: said.state, sentAt: sentMs, since: ANCHOR + said.sinceMs };
        const payload = new TextEncoder().encode(JSON.stringify(message));
        this.controller.take({ payload, retained: false }, sentMs + 30);
      }
      const moment = { mediaTimeMs: this.#mediaMs, capturedAtMs: ANCHOR + this.#mediaMs, clockErrorMs };
      const reading = { state: lamp(this.#mediaMs), confidence: 0.9 };
      this.board.addFrame(moment, new Map([['main', reading]]));
    }
  }

  /** Media times, in steps of a picture, at which red is said although one of `shown` did not show it. */
  wrongReds(fromMs: number, toMs: number, shown: (mediaMs: number) => SignalState): number[] {
    const wrong: number[] = [];
    for (let atMs = fromMs; atMs < toMs; atMs += FRAME_MS) {
      if (this.board.signalAt('main', atMs)?.state === 'red' && shown(atMs) !== 'red') wrong.push(atMs);
    }
    return wrong;
  }

  stateAt(mediaMs: number): SignalState | undefined {
    return this.board.signalAt('main', mediaMs)?.state;
  }
}

describe('a signal with a lamp and a controller', () => {
  it('shows red from the later onset and short of every error while both agree', () => {
    const junction = new Junction();
    junction.run(125_000);
    expect(junction.board.listChecks()).toMatchObject([
      { signal: 'main', sources: ['lamp', 'controller'], outcome: 'agrees' },
    ]);
    expect(Math.abs(junction.board.listChecks()[0]?.offsetMs ?? 1_000)).toBeLessThanOrEqual(FRAME_MS);
    const view = junction.board.signalAt('main', 85_000);
    expect(view).toMatchObject({ state: 'red', onsetSeen: true });
    // controller 50 ms, picture 20 ms
    expect(view?.sinceMs).toBeGreaterThanOrEqual(80_070);
    expect(view?.sinceMs).toBeLessThan(80_070 + FRAME_MS);
    expect(junction.stateAt(99_920)).toBe('red');
    expect(junction.stateAt(99_950)).toBe('green');
    expect(junction.wrongReds(0, 124_000, (at) => truth(at).state)).toEqual([]);
  });

  it('is known by the lamp alone while the controller is silent, and says that nothing checks it', () => {
    const junction = new Junction();
    junction.run(25_000);
    junction.run(65_000, { controller: () => undefined });
    expect(junction.board.listChecks()).toMatchObject([{ sources: ['lamp'], outcome: 'single' }]);
    expect(junction.stateAt(45_000)).toBe('red');
    junction.run(90_000);
    expect(junction.board.listChecks()).toMatchObject([{ outcome: 'agrees' }]);
    expect(junction.stateAt(85_000)).toBe('red');
  });

  it('goes by the controller where the scene’s lamp is not to be read', () => {
    const junction = new Junction({ lamp: 'ignore' });
    junction.run(50_000, { lamp: () => 'red' });
    expect(junction.stateAt(30_000)).toBe('green');
    expect(junction.stateAt(45_000)).toBe('red');
    junction.run(60_000, { controller: () => undefined });
    expect(junction.stateAt(59_000)).toBeUndefined();
    expect(junction.board.listChecks()).toMatchObject([{ sources: [], outcome: 'silent' }]);
  });

  it('is suspended from the instant at which a stuck controller and the lamp part, and over chance agreements', () => {
    const junction = new Junction();
    junction.run(50_000);
    const stuck = { state: 'red', sinceMs: 40_000 } as const;
    junction.run(170_000, { controller: () => stuck });
    // green at the lamp from 60 s on; the controller stays red
    expect(junction.board.listChecks()).toMatchObject([{ outcome: 'disagrees' }]);
    expect(junction.stateAt(59_000)).toBe('red');
    for (let atMs = 60_160; atMs < 169_000; atMs += 500) expect(junction.stateAt(atMs)).toBeUndefined();
    // it works again: believed after it has agreed through a change, for ten seconds
    junction.run(250_000);
    expect(junction.board.listChecks()).toMatchObject([{ outcome: 'agrees' }]);
    expect(junction.stateAt(245_000)).toBe('red');
  });

  it('never calls red what one of the two does not, while their disagreement is still young', () => {
    const junction = new Junction();
    junction.run(62_000);
    for (const state of ['red', 'green', 'red'] as const) {
      const fromMs = 62_000;
      junction.run(fromMs + 900, { controller: () => ({ state, sinceMs: 62_000 }) });
    }
    expect(junction.wrongReds(60_000, 62_900, (at) => truth(at).state)).toEqual([]);
  });

  it('is suspended while the lamp is dark and the controller says red: nobody can see that', () => {
    const junction = new Junction();
    junction.run(42_000);
    junction.run(52_000, { lamp: () => 'off' });
    expect(junction.stateAt(47_000)).toBeUndefined();
    expect(junction.board.listChecks()).toMatchObject([{ outcome: 'disagrees' }]);
  });

  it('is suspended where the controller runs seconds beside the lamp', () => {
    const junction = new Junction({ maxDisagreementMs: 10_000 });
    junction.run(200_000, {
      controller: (at) => ({ ...truth(at - 3_000), sinceMs: truth(at - 3_000).sinceMs + 3_000 }),
    });
    expect(junction.board.listChecks()).toMatchObject([{ outcome: 'disagrees' }]);
    expect(junction.board.listChecks()[0]?.offsetMs).toBeCloseTo(3_000, -2);
    expect(junction.stateAt(190_000)).toBeUndefined();
  });

  it('leaves the controller out while the picture’s own instant is uncertain', () => {
    const junction = new Junction();
    junction.run(50_000, { clockErrorMs: 60_000, controller: () => ({ state: 'green', sinceMs: 0 }) });
    expect(junction.stateAt(45_000)).toBe('red');
    expect(junction.board.listChecks()).toMatchObject([{ sources: ['lamp'], outcome: 'single' }]);
  });

  it('says red only where both truly do, under random delays, silences and misreadings', () => {
    for (let seed = 1; seed <= 4; seed++) {
      const random = new SeededRandom(seed);
      const junction = new Junction();
      let fault: 'none' | 'silent' | 'stuck' | 'flapping' = 'none';
      let stuck: Said = { state: 'red', sinceMs: 0 };
      junction.run(240_000, {
        controller: (at) => {
          if (random.next() < 0.002) {
            const faults = ['none', 'none', 'silent', 'stuck', 'flapping'] as const;
            fault = faults[random.integer(0, faults.length - 1)] ?? 'none';
            stuck = truth(at);
          }
          if (fault === 'silent') return undefined;
          if (fault === 'stuck') return stuck;
          if (fault === 'flapping') return { state: random.next() < 0.5 ? 'red' : 'green', sinceMs: at };
          return truth(at);
        },
        lamp: (at) => (random.next() < 0.03 ? 'unknown' : truth(at).state),
      });
      // where the lamp alone speaks, the picture in which the colour changes may be misread
      const shownOrJustBefore = (at: number) =>
        truth(at).state === 'red' ? 'red' : truth(at - 2 * FRAME_MS).state;
      expect(junction.wrongReds(0, 239_000, shownOrJustBefore), `seed ${seed}`).toEqual([]);
    }
  });
});

describe('a signal with its lamp alone', () => {
  it('is what the lamp shows, as before', () => {
    const board = new SignalBoard(HEADS);
    for (let at = 0; at < 50_000; at += FRAME_MS) {
      const moment = { mediaTimeMs: at, capturedAtMs: ANCHOR + at, clockErrorMs: 0 };
      board.addFrame(moment, new Map([['main', { state: truth(at).state, confidence: 0.8 }]]));
    }
    expect(board.signalAt('main', 45_000)).toMatchObject({ state: 'red', sinceMs: 40_000, onsetSeen: true });
    expect(board.signalAt('other', 45_000)).toBeUndefined();
    expect(board.listChecks()).toEqual([]);
  });
});
