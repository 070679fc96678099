import { randomBytes } from 'node:crypto';
import type {
  GateState,
  ScreeningAggregate,
  ScreeningRefusal,
  ScreeningResult,
  ThermometerReading,
} from '@ngatu/contract';
import { type DriftEstimate, DriftTrend } from './blackbody.ts';
import { DEFAULT_FEVER_MODEL, FeverDecision, type FeverModel } from './fever-decision.ts';
import { cueOf, type GateCue } from './gate-cue.ts';
import type { GateMemory } from './gate-memory.ts';
import { type GateLimits, GateProtocol, type PassageEnd, type TimedAmbient } from './gate-protocol.ts';
import { type FrameJudgement, type FrameView, type GateOptics, judgeFrame } from './passage.ts';
import { ScreeningTally } from './screening-tally.ts';
import type { SelfCheckRecord } from './self-check.ts';
import { DEFAULT_SITE_OFFSET, type SiteOffsetOptions, type SiteState } from './site-offset.ts';
import type { ThermalFrame } from './thermal-frame.ts';
import type { CanthusHint } from './visible-pairing.ts';

export interface FeverGateOptions {
  /** Name of the gate in results. */
  readonly gate: string;
  readonly optics: GateOptics;
  readonly limits?: GateLimits;
  readonly model?: FeverModel;
  readonly site?: SiteOffsetOptions;
  /** When the camera was switched on, ms since 1970. */
  readonly poweredOnMs: number;
  /** When counting began, ms since 1970; absent: with the camera. */
  readonly openedMs?: number;
  /** When the last self-check passed; absent: one is due. */
  readonly checkedMs?: number;
  /** What the gate had learned before a restart. */
  readonly memory?: Pick<GateMemory, 'sites' | 'tally'>;
  /** Name of a passage: drawn at random, bound to nobody. */
  readonly drawScreeningId?: () => string;
}

/** What is known beside a frame: the room as its sensor says, the places of the canthi where a visible camera saw the eyes. */
export interface FrameSurroundings {
  readonly ambient?: TimedAmbient | undefined;
  readonly hint?: CanthusHint | undefined;
}

/** What a gate shows after a frame, and what happened with it. */
export interface GateMoment {
  readonly state: GateState;
  readonly cue: GateCue;
  /** Why there is no reading, or what the person shall do. */
  readonly refusal?: ScreeningRefusal;
  readonly frames: number;
  readonly result?: ScreeningResult;
  readonly selfCheck?: SelfCheckRecord;
}

const SCREENING_ID_BYTES = 8;
const ASSUMED_ROOM = { celsius: 22, relativeHumidity: 0.4 };

/**
 * One gate: frames in, cues and results out. Pictures are looked at and dropped; nothing that names a person is held. The clock
 * comes in with the frames.
 */
export class FeverGate {
  readonly #options: FeverGateOptions;
  readonly #protocol: GateProtocol;
  readonly #decision: FeverDecision;
  readonly #model: FeverModel;
  readonly #drift = new DriftTrend();
  readonly #tally: ScreeningTally;
  #shown: GateState | undefined;

  constructor(options: FeverGateOptions) {
    this.#options = options;
    this.#protocol = new GateProtocol(options);
    this.#model = options.model ?? DEFAULT_FEVER_MODEL;
    this.#decision = new FeverDecision(
      this.#model,
      options.site ?? DEFAULT_SITE_OFFSET,
      options.memory?.sites,
    );
    this.#tally = new ScreeningTally(options.openedMs ?? options.poweredOnMs, options.memory?.tally);
  }

  /** The camera's offset and how it runs away, by the blackbody. */
  get drift(): DriftEstimate | undefined {
    return this.#drift.estimate;
  }

  get times(): GateProtocol['times'] {
    return this.#protocol.times;
  }

  /** How far the place is learned: by the maximum of the face, which every passage reads. */
  get site(): { readonly phase: SiteState['phase']; readonly readings: number; readonly wanted: number } {
    const { phase, readings } = this.#decision.siteOf('faceMaximum');
    const wanted = (this.#options.site ?? DEFAULT_SITE_OFFSET).minReadings;
    return { phase: this.#isHeld() ? 'held' : phase, readings, wanted };
  }

  /** What has to be known again after a restart. */
  get memory(): Pick<GateMemory, 'sites' | 'tally'> {
    return { sites: this.#decision.memory, tally: this.#tally.memory };
  }

  /** The camera was off, or may have been: it warms up anew, and is checked. */
  restart(atMs: number): void {
    this.#shown = undefined;
    this.#protocol.restart(atMs);
  }

  /** Pictures stopped coming: whoever was there is measured anew when they come back. */
  interrupt(): void {
    this.#shown = undefined;
    this.#protocol.interrupt();
  }

  /** Takes one frame of apparent temperatures (emissivity 1) and judges it here. */
  observe(frame: ThermalFrame, atMs: number, around: FrameSurroundings): GateMoment {
    return this.take({ frame, judgement: judgeFrame(frame, this.viewOf(around)) }, atMs, around.ambient);
  }

  /** What a frame is to be judged by, where that is done elsewhere: see `take`. */
  viewOf({ ambient, hint }: FrameSurroundings): FrameView {
    // without the room's reading nothing is measured; the blackbody is looked at all the same
    return { optics: this.#options.optics, ambient: ambient ?? ASSUMED_ROOM, hint };
  }

  /** Takes one frame as it was judged by `viewOf`. Times rise. */
  take(
    { frame, judgement }: { readonly frame: ThermalFrame; readonly judgement: FrameJudgement },
    atMs: number,
    ambient: TimedAmbient | undefined,
  ): GateMoment {
    if (judgement.blackbody !== undefined) this.#drift.observe(atMs, judgement.blackbody.offsetC);
    const input = { atMs, frame, judgement, ...(ambient === undefined ? {} : { ambient }) };
    const step = this.#protocol.observe(input);
    const result = step.end === undefined ? undefined : this.#tell(step.end, atMs);
    if (result !== undefined) this.#shown = STATE_OF[result.outcome];
    // after a result the protocol waits for the person to leave, and the result stays on the screen
    else if (step.state !== 'measuring' && step.state !== 'refused') this.#shown = undefined;
    const state = this.#shown ?? step.state;
    const refusal = result === undefined ? step.refusal : result.refusal;
    const cue =
      result === undefined ? cueOf(state, step.refusal) : { ...cueOf(state), text: result.instruction };
    return {
      state,
      cue,
      frames: step.frames,
      ...(refusal === undefined ? {} : { refusal }),
      ...(result === undefined ? {} : { result }),
      ...(step.selfCheck === undefined ? {} : { selfCheck: step.selfCheck }),
    };
  }

  /** Ends a recording: the passage that was under way, as it stands. */
  finish(atMs: number, ambient: TimedAmbient): ScreeningResult | undefined {
    const end = this.#protocol.finish(ambient);
    return end === undefined ? undefined : this.#tell(end, atMs);
  }

  /**
   * Takes a thermometer reading that staff entered.
   * @throws NgatuError NOT_FOUND
   */
  confirm(reading: ThermometerReading): void {
    this.#tally.confirm(reading);
  }

  /** Staff have checked with thermometers that a raised share of high readings is no illness. */
  acceptSite(): void {
    this.#decision.acceptSite();
  }

  takeAggregate(toMs: number): ScreeningAggregate {
    return this.#tally.takeAggregate(this.#options.gate, toMs, this.#isHeld());
  }

  #isHeld(): boolean {
    return (
      this.#decision.siteOf('innerCanthi').phase === 'held' ||
      this.#decision.siteOf('faceMaximum').phase === 'held'
    );
  }

  #tell(end: PassageEnd, atMs: number): ScreeningResult {
    const draw = this.#options.drawScreeningId ?? drawScreeningId;
    const head = {
      schemaVersion: 1 as const,
      screeningId: draw(),
      gate: this.#options.gate,
      at: new Date(atMs).toISOString(),
    };
    const result: ScreeningResult =
      end.kind === 'refused'
        ? {
            ...head,
            outcome: 'refused',
            refusal: end.refusal,
            instruction: cueOf('refused', end.refusal).text,
            frames: 0,
          }
        : { ...head, ...this.#judge(end) };
    this.#tally.add(result);
    return result;
  }

  /** While the site is learned everybody is sent to the thermometer. */
  #judge({ passage }: Extract<PassageEnd, { kind: 'measured' }>) {
    const estimate = this.#decision.decide(passage.reading);
    this.#decision.learn(passage.reading);
    const outcome = estimate?.outcome ?? 'measure';
    return {
      outcome,
      instruction: cueOf(STATE_OF[outcome]).text,
      method: passage.method,
      skinC: round(passage.skin.celsius),
      skinUncertaintyC: round(2 * passage.skin.standardC),
      frames: passage.frames,
      ...(estimate === undefined
        ? {}
        : {
            estimateC: round(estimate.celsius),
            estimateUncertaintyC: round(2 * estimate.standardC),
            thresholdC: round(this.#model.thresholdC),
          }),
    };
  }
}

const STATE_OF = { pass: 'passed', measure: 'measure', refused: 'refused' } as const;

function drawScreeningId(): string {
  return `sc-${randomBytes(SCREENING_ID_BYTES).toString('hex')}`;
}

/** Hundredths: more is noise. */
function round(celsius: number): number {
  return Math.round(celsius * 100) / 100;
}
