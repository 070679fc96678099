import type { GateState, ScreeningRefusal } from '@ngatu/contract';
import {
  type AmbientReading,
  type FrameJudgement,
  type GateOptics,
  MAX_FRAMES,
  type MeasuredPassage,
  MIN_FRAMES,
  Passage,
} from './passage.ts';
import { SelfCheck, type SelfCheckRecord } from './self-check.ts';
import type { ThermalFrame } from './thermal-frame.ts';

/** Limits of the protocol. */
export interface GateLimits {
  /** Room, °C and 0–1. 20–24 °C and 10–50 % are FDA's advice (S). */
  readonly ambientC: { readonly low: number; readonly high: number };
  readonly relativeHumidity: { readonly low: number; readonly high: number };
  /** A reading of the room older than this is none, ms. */
  readonly ambientMaxAgeMs: number;
  /** From switching on, ms. 30 minutes (checklist of Foster and others, 2021, PMC8654479; S). */
  readonly warmUpMs: number;
  readonly selfCheckEveryMs: number;
  /** A failed self-check is tried again after this, ms. */
  readonly selfCheckRetryMs: number;
  /** Frames of one passage, 3–10. */
  readonly framesWanted: number;
  /** Somebody who could not be measured for this long is sent to the thermometer, ms. */
  readonly refuseAfterMs: number;
  /** Frames without anybody before the next person may come. */
  readonly leaveFrames: number;
}

export const DEFAULT_GATE_LIMITS: GateLimits = {
  ambientC: { low: 20, high: 24 },
  relativeHumidity: { low: 0.1, high: 0.5 },
  ambientMaxAgeMs: 600_000,
  warmUpMs: 1_800_000,
  selfCheckEveryMs: 86_400_000,
  selfCheckRetryMs: 60_000,
  framesWanted: 6,
  refuseAfterMs: 8_000,
  leaveFrames: 3,
};

export interface TimedAmbient extends AmbientReading {
  readonly atMs: number;
}

export interface GateInput {
  readonly atMs: number;
  readonly frame: ThermalFrame;
  readonly judgement: FrameJudgement;
  readonly ambient?: TimedAmbient;
}

/** The end of one passage. */
export type PassageEnd =
  | { readonly kind: 'measured'; readonly passage: MeasuredPassage }
  | { readonly kind: 'refused'; readonly refusal: ScreeningRefusal };

export interface GateStep {
  readonly state: GateState;
  /** Why there is no reading, or what the person shall do. */
  readonly refusal?: ScreeningRefusal;
  readonly frames: number;
  readonly end?: PassageEnd;
  readonly selfCheck?: SelfCheckRecord;
}

/** Refusals that name a fault of the gate, not of the person. */
const FAULTS: ReadonlySet<ScreeningRefusal> = new Set([
  'blackbody-missing',
  'blackbody-unstable',
  'blackbody-out-of-tolerance',
]);
/** Frames in a row that interrupt a measurement. */
const MAX_INTERRUPTIONS = 2;

/**
 * The protocol of a gate: one person steps in, holds still, is measured, and leaves. Pure: frames and time come in, and the same
 * frames give the same steps. `measured` says only that there is a reading; what it means is decided elsewhere.
 */
export class GateProtocol {
  readonly #optics: GateOptics;
  readonly #limits: GateLimits;
  #poweredOnMs: number;
  #state: GateState = 'idle';
  #passage = new Passage();
  #interruptions = 0;
  #absentFrames = 0;
  #present: { sinceMs: number; reasons: Map<ScreeningRefusal, number> } | undefined;
  #isTold = false;
  #check: SelfCheck | undefined;
  #checkedMs: number | undefined;
  #checkFailedMs: number | undefined;

  constructor(options: { optics: GateOptics; limits?: GateLimits; poweredOnMs: number; checkedMs?: number }) {
    this.#optics = options.optics;
    this.#limits = options.limits ?? DEFAULT_GATE_LIMITS;
    this.#poweredOnMs = options.poweredOnMs;
    this.#checkedMs = options.checkedMs;
  }

  /** The camera was off, or may have been: it warms up anew, and is checked. */
  restart(atMs: number): void {
    this.#reset();
    this.#poweredOnMs = atMs;
    this.#check = undefined;
    this.#checkedMs = undefined;
    this.#checkFailedMs = undefined;
  }

  /** Pictures stopped coming: whoever was there is measured anew when they come back. */
  interrupt(): void {
    this.#reset();
    this.#check = undefined;
  }

  /** When the camera was switched on, and when it last passed a self-check, ms since 1970. */
  get times(): { readonly poweredOnMs: number; readonly warmUntilMs: number; readonly checkedMs?: number } {
    return {
      poweredOnMs: this.#poweredOnMs,
      warmUntilMs: this.#poweredOnMs + this.#limits.warmUpMs,
      ...(this.#checkedMs === undefined ? {} : { checkedMs: this.#checkedMs }),
    };
  }

  /** What stands against measuring before anybody is looked at. */
  findObstacle(atMs: number, ambient: TimedAmbient | undefined): ScreeningRefusal | undefined {
    const { ambientC, relativeHumidity, warmUpMs, ambientMaxAgeMs } = this.#limits;
    if (atMs - this.#poweredOnMs < warmUpMs) return 'warming-up';
    if (ambient === undefined || atMs - ambient.atMs > ambientMaxAgeMs) return 'ambient-unknown';
    const inside =
      ambient.celsius >= ambientC.low &&
      ambient.celsius <= ambientC.high &&
      ambient.relativeHumidity >= relativeHumidity.low &&
      ambient.relativeHumidity <= relativeHumidity.high;
    return inside ? undefined : 'ambient-out-of-limits';
  }

  /** Takes one frame. Times rise. */
  observe(input: GateInput): GateStep {
    const obstacle = this.findObstacle(input.atMs, input.ambient);
    if (obstacle !== undefined)
      return this.#standAside(obstacle === 'warming-up' ? obstacle : 'out-of-service', obstacle);
    const check = this.#runSelfCheck(input);
    if (check !== undefined) return check;
    const { judgement, ambient } = input;
    if (judgement.kind === 'refused' && FAULTS.has(judgement.refusal))
      return this.#standAside('out-of-service', judgement.refusal);
    if (judgement.kind === 'refused' && judgement.refusal === 'no-person') return this.#missPerson();
    this.#absentFrames = 0;
    if (this.#isTold) return this.#step();
    if (ambient === undefined) return this.#step('ambient-unknown');
    return judgement.kind === 'face'
      ? this.#takeFace(judgement, input.atMs, ambient)
      : this.#takeRefusal(judgement.refusal, input.atMs);
  }

  /** Ends a recording or a stream: a passage that has begun is told as it stands. */
  finish(ambient: AmbientReading): PassageEnd | undefined {
    if (this.#isTold || this.#present === undefined) return undefined;
    const measured = this.#passage.measure(this.#optics, ambient);
    const end: PassageEnd =
      typeof measured === 'string'
        ? { kind: 'refused', refusal: this.#mainReason() ?? measured }
        : { kind: 'measured', passage: measured };
    this.#reset();
    return end;
  }

  #step(refusal?: ScreeningRefusal, end?: PassageEnd): GateStep {
    return {
      state: this.#state,
      frames: this.#passage.frames,
      ...(refusal === undefined ? {} : { refusal }),
      ...(end === undefined ? {} : { end }),
    };
  }

  #reset(): void {
    this.#state = 'idle';
    this.#passage = new Passage();
    this.#interruptions = 0;
    this.#present = undefined;
    this.#isTold = false;
  }

  #standAside(state: GateState, refusal: ScreeningRefusal): GateStep {
    this.#reset();
    this.#state = state;
    return this.#step(refusal);
  }

  #runSelfCheck({ atMs, frame, judgement }: GateInput): GateStep | undefined {
    const { selfCheckEveryMs, selfCheckRetryMs } = this.#limits;
    const failedMs = this.#checkFailedMs;
    if (failedMs !== undefined && atMs - failedMs < selfCheckRetryMs)
      return this.#standAside('out-of-service', 'self-check-failed');
    const due = this.#checkedMs === undefined || atMs - this.#checkedMs >= selfCheckEveryMs;
    // nobody is sent away in the middle of a measurement
    if (!due || (failedMs === undefined && this.#present !== undefined)) return undefined;
    this.#check ??= new SelfCheck(this.#optics.blackbody.toleranceC);
    this.#check.observe(frame, judgement.blackbody);
    if (!this.#check.isComplete) return this.#standAside('checking', 'self-check-due');
    const selfCheck = this.#check.conclude(atMs);
    this.#check = undefined;
    this.#checkFailedMs = selfCheck.passed ? undefined : atMs;
    if (selfCheck.passed) this.#checkedMs = atMs;
    const step = selfCheck.passed
      ? this.#standAside('idle', 'no-person')
      : this.#standAside('out-of-service', 'self-check-failed');
    return { ...step, selfCheck };
  }

  #missPerson(): GateStep {
    this.#absentFrames++;
    if (this.#absentFrames < this.#limits.leaveFrames && this.#state !== 'out-of-service')
      return this.#step();
    const reason = this.#isTold ? undefined : this.#mainReason();
    const left: PassageEnd | undefined =
      reason === undefined ? undefined : { kind: 'refused', refusal: reason };
    this.#reset();
    return this.#step('no-person', left);
  }

  #mainReason(): ScreeningRefusal | undefined {
    const reasons = [...(this.#present?.reasons ?? [])].sort((a, b) => b[1] - a[1]);
    return reasons[0]?.[0];
  }

  #takeRefusal(refusal: ScreeningRefusal, atMs: number): GateStep {
    this.#present ??= { sinceMs: atMs, reasons: new Map() };
    this.#present.reasons.set(refusal, (this.#present.reasons.get(refusal) ?? 0) + 1);
    this.#interruptions++;
    if (this.#interruptions >= MAX_INTERRUPTIONS || this.#state !== 'measuring') {
      this.#passage = new Passage();
      this.#state = 'positioning';
    }
    if (atMs - this.#present.sinceMs < this.#limits.refuseAfterMs) return this.#step(refusal);
    const end: PassageEnd = { kind: 'refused', refusal: this.#mainReason() ?? refusal };
    this.#state = 'refused';
    this.#isTold = true;
    return this.#step(end.refusal, end);
  }

  #takeFace(
    judgement: Extract<FrameJudgement, { kind: 'face' }>,
    atMs: number,
    ambient: AmbientReading,
  ): GateStep {
    this.#present ??= { sinceMs: atMs, reasons: new Map() };
    const stopped = this.#passage.add(judgement);
    if (stopped === 'blackbody-unstable') return this.#standAside('out-of-service', stopped);
    if (stopped !== undefined) {
      this.#passage = new Passage();
      this.#interruptions = MAX_INTERRUPTIONS;
      return this.#takeRefusal(stopped, atMs);
    }
    this.#interruptions = 0;
    this.#state = 'measuring';
    const wanted = Math.min(MAX_FRAMES, Math.max(MIN_FRAMES, this.#limits.framesWanted));
    if (this.#passage.frames < wanted) return this.#step();
    const measured = this.#passage.measure(this.#optics, ambient);
    if (typeof measured === 'string') {
      this.#passage = new Passage();
      return this.#takeRefusal(measured, atMs);
    }
    this.#isTold = true;
    return this.#step(undefined, { kind: 'measured', passage: measured });
  }
}
