import {
  type LocalizedText,
  NgatuError,
  READINESS_ITEMS,
  type Readiness,
  type ReadinessItem,
  type ReadinessItemName,
  type RuleBlindInterval,
  type Scene,
} from '@ngatu/contract';
import type { Frame } from '../frame/frame.ts';
import { GroundPlane } from '../geometry/ground-plane.ts';
import { computeExposure } from './exposure.ts';
import { computeSharpness } from './focus.ts';
import { computeLuma, computeMedian, type LumaPicture, shrinkLuma } from './luma-picture.ts';
import {
  type CalibrationFacts,
  judgeCalibration,
  judgeClock,
  judgeExposure,
  judgeFocus,
  judgeObstruction,
  judgeSignals,
  judgeView,
  type SignalSync,
  type Verdict,
} from './readiness-verdict.ts';
import { listRequirements } from './rule-requirement.ts';
import { compareViews } from './view-comparison.ts';
import type { Light, ViewReference } from './view-reference.ts';

/** Why a rule may not flag. */
export interface ReadinessReason {
  readonly item: ReadinessItemName;
  readonly reason: LocalizedText;
}

/** What the pipeline knows beside the picture. */
export interface ReadinessFacts {
  readonly signals: readonly SignalSync[];
}

export interface ReadinessOptions {
  /** Kept from before; absent on the first day of a scene. */
  readonly reference?: ViewReference;
  /** Between two pictures that are looked at, ms. */
  readonly sampleMs?: number;
  /** Between two checks, ms. */
  readonly checkMs?: number;
  /** Pictures whose median becomes the reference. */
  readonly referenceSamples?: number;
}

const SAMPLE_MS = 2_000;
const CHECK_MS = 10_000;
/** A minute: most of the traffic has gone, and a red light has ended. */
const REFERENCE_SAMPLES = 30;
/** Pictures whose median is compared. */
const WINDOW_SAMPLES = 12;
const MIN_WINDOW_SAMPLES = 5;
/** An item changes when so many checks in a row say so. */
const CHECKS_TO_CHANGE = 2;
/** Middle brightness at which day becomes night and night day, 0–255. */
const DARK_BELOW = 45;
const BRIGHT_ABOVE = 65;
/** A view counts as known this long after it was last recognised, ms: dusk is shorter. */
const KNOWN_MS = 3_600_000;

interface ItemState {
  state: ReadinessItem['state'];
  sinceMs: number;
  verdict: Verdict;
  /** Checks in a row that say otherwise. */
  against: number;
}

/**
 * Whether a camera is in a state in which its rules may flag anybody. Looks at a picture every 2 s and judges every 10 s; pure: time
 * comes with the frames. Failing items block the rules that stand on them; what cannot be told yet blocks nothing. The
 * reference is the median of the first minute of a scene in which the exposure was in order; by night another one is added
 * while the view is known to be the same.
 */
export class CameraReadiness {
  readonly #scene: Scene;
  readonly #calibration: CalibrationFacts | undefined;
  readonly #sampleMs: number;
  readonly #checkMs: number;
  readonly #referenceSamples: number;
  readonly #items = new Map<ReadinessItemName, ItemState>();
  readonly #blind: RuleBlindInterval[] = [];
  #reference: ViewReference;
  #isReferenceNew = false;
  #light: Light | undefined;
  #samples: LumaPicture[] = [];
  #sharpness: number[] = [];
  #lastSampleMs = Number.NEGATIVE_INFINITY;
  #lastCheckMs = Number.NEGATIVE_INFINITY;
  #viewKnownMs = Number.NEGATIVE_INFINITY;
  #accountedMs: number | undefined;

  constructor(scene: Scene, options: ReadinessOptions = {}) {
    this.#scene = scene;
    this.#calibration = describeCalibration(scene);
    this.#reference = options.reference ?? {};
    this.#sampleMs = options.sampleMs ?? SAMPLE_MS;
    this.#checkMs = options.checkMs ?? CHECK_MS;
    this.#referenceSamples = options.referenceSamples ?? REFERENCE_SAMPLES;
  }

  /** Takes the next frame; most are only looked at for their time. */
  addFrame(frame: Frame, facts: ReadinessFacts): void {
    const nowMs = frame.capturedAtMs;
    if (nowMs - this.#lastSampleMs < this.#sampleMs) return;
    this.#lastSampleMs = nowMs;
    const luma = computeLuma(frame);
    const small = shrinkLuma(luma);
    const keep = Math.max(WINDOW_SAMPLES, this.#referenceSamples);
    this.#samples = [...this.#samples, small].slice(-keep);
    if (nowMs - this.#lastCheckMs < this.#checkMs) return;
    this.#lastCheckMs = nowMs;
    const sharpness = computeSharpness(luma);
    if (sharpness !== undefined) this.#sharpness = [...this.#sharpness, sharpness].slice(-5);
    const exposure = computeExposure(small);
    this.#settleLight(exposure.middle);
    const isExposed = judgeExposure(exposure).isGood === true;
    this.#account(nowMs);
    for (const verdict of [
      judgeCalibration(this.#calibration, nowMs),
      judgeClock(frame.clockErrorMs),
      judgeExposure(exposure),
      ...(isExposed ? this.#judgePicture(frame.sourceWidth, nowMs) : []),
      judgeSignals(facts.signals),
    ]) {
      this.#settle(verdict, nowMs);
    }
    if (isExposed) this.#takeReference(nowMs);
  }

  /** Rules that may not flag now, with everything that keeps them from it. */
  blockedRules(): Map<string, readonly ReadinessReason[]> {
    const blocked = new Map<string, readonly ReadinessReason[]>();
    for (const rule of this.#scene.rules) {
      const reasons = listRequirements(rule).flatMap((item) => {
        const state = this.#items.get(item);
        return state?.state === 'failing' ? [{ item, reason: state.verdict.reason }] : [];
      });
      if (reasons.length > 0) blocked.set(rule.name, reasons);
    }
    return blocked;
  }

  /** As it goes on the wire. */
  report(nowMs: number): Readiness {
    const items = READINESS_ITEMS.flatMap((item): ReadinessItem[] => {
      const state = this.#items.get(item);
      if (state === undefined) return [];
      const { measures, reason } = state.verdict;
      const since = new Date(Math.round(state.sinceMs)).toISOString();
      return [{ item, state: state.state, since, measures: { ...measures }, reason }];
    });
    const blocked = [...this.blockedRules()].map(([rule, reasons]) => ({
      rule,
      items: reasons.map(({ item }) => item),
    }));
    return { at: new Date(Math.round(nowMs)).toISOString(), items, blocked };
  }

  /** Time since the last cut in which single rules were blocked, oldest first. */
  cutBlindIntervals(nowMs: number): RuleBlindInterval[] {
    this.#account(nowMs);
    return this.#blind.splice(0);
  }

  /** The reference where it has grown since this was last called: keep it. */
  takeNewReference(): ViewReference | undefined {
    if (!this.#isReferenceNew) return undefined;
    this.#isReferenceNew = false;
    return this.#reference;
  }

  /** Forgets the reference and takes a new one: somebody has looked at the view and says that it is right. */
  resetReference(): void {
    this.#reference = {};
    this.#samples = [];
    this.#sharpness = [];
    this.#items.delete('view');
    this.#items.delete('focus');
    this.#items.delete('obstruction');
  }

  #settleLight(middle: number): void {
    const before = this.#light;
    if (middle < DARK_BELOW) this.#light = 'dark';
    else if (middle > BRIGHT_ABOVE || before === undefined) this.#light = 'bright';
    if (before === undefined || this.#light === before) return;
    this.#samples = this.#samples.slice(-1);
    this.#sharpness = this.#sharpness.slice(-1);
  }

  #judgePicture(sourceWidth: number, nowMs: number): Verdict[] {
    const reference = this.#light === undefined ? undefined : this.#reference[this.#light];
    const focus = judgeFocus(computeMiddle(this.#sharpness), reference?.sharpness);
    const window = this.#samples.slice(-WINDOW_SAMPLES);
    const [first] = window;
    if (reference === undefined || first === undefined || window.length < MIN_WINDOW_SAMPLES) return [focus];
    const { width, height } = reference.picture;
    if (first.width !== width || first.height !== height) return [focus];
    const comparison = compareViews(reference.picture, computeMedian(window));
    const view = judgeView(comparison, { smallWidth: width, sourceWidth });
    if (view.isGood === true) this.#viewKnownMs = nowMs;
    return [focus, view, judgeObstruction(comparison, view)];
  }

  #settle(verdict: Verdict, nowMs: number): void {
    const known = this.#items.get(verdict.item);
    const said = verdict.isGood === undefined ? 'unknown' : verdict.isGood ? 'ready' : 'failing';
    if (known === undefined) {
      const state = said === 'failing' ? 'unknown' : said;
      const against = said === 'failing' ? 1 : 0;
      this.#items.set(verdict.item, { state, sinceMs: nowMs, verdict, against });
      return;
    }
    if (said === known.state) {
      known.against = 0;
      known.verdict = verdict;
      return;
    }
    known.against += 1;
    if (known.against < CHECKS_TO_CHANGE) return;
    this.#items.set(verdict.item, { state: said, sinceMs: nowMs, verdict, against: 0 });
  }

  /** Adds the time up to now to the intervals of the rules that are blocked. */
  #account(nowMs: number): void {
    const fromMs = this.#accountedMs ?? nowMs;
    if (nowMs < fromMs) return;
    this.#accountedMs = nowMs;
    if (Math.round(nowMs) <= Math.round(fromMs)) return;
    const from = new Date(Math.round(fromMs)).toISOString();
    const to = new Date(Math.round(nowMs)).toISOString();
    for (const [rule, reasons] of this.blockedRules()) {
      const items = reasons.map(({ item }) => item);
      const index = this.#blind.findLastIndex((interval) => interval.rule === rule);
      const last = this.#blind[index];
      if (last !== undefined && last.to === from && last.items.join() === items.join()) {
        this.#blind[index] = { ...last, to };
      } else this.#blind.push({ rule, items, from, to });
    }
  }

  #takeReference(nowMs: number): void {
    const light = this.#light;
    if (light === undefined || this.#reference[light] !== undefined) return;
    if (this.#samples.length < this.#referenceSamples) return;
    const isFirst = Object.keys(this.#reference).length === 0;
    if (!isFirst && nowMs - this.#viewKnownMs > KNOWN_MS) return;
    const sharpness = computeMiddle(this.#sharpness);
    const picture = computeMedian(this.#samples);
    const entry = { picture, takenAtMs: nowMs, ...(sharpness === undefined ? {} : { sharpness }) };
    this.#reference = { ...this.#reference, [light]: entry };
    this.#isReferenceNew = true;
  }
}

function describeCalibration({ calibration, picture }: Scene): CalibrationFacts | undefined {
  if (calibration === undefined) return undefined;
  const age =
    calibration.calibratedAt === undefined ? {} : { calibratedAtMs: Date.parse(calibration.calibratedAt) };
  const statedErrorPx = calibration.imageErrorPx;
  try {
    const { residualPx } = GroundPlane.fromCalibration(calibration, picture);
    return { residualPx, statedErrorPx, ...age };
  } catch (error) {
    if (!(error instanceof NgatuError) || error.code !== 'CALIBRATION_INVALID') throw error;
    return { residualPx: 0, statedErrorPx, ...age, refused: error.message };
  }
}

function computeMiddle(values: readonly number[]): number | undefined {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}
