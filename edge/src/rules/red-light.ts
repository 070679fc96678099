import type { RedLightRule as RedLightParameters, Scene } from '@ngatu/contract';
import { computeIou } from '../geometry/box.ts';
import type { Track } from '../track/track.ts';
import { Cooldown } from './cooldown.ts';
import { excuse, hadQueueAhead, judgePhase } from './exculpation.ts';
import { formatSeconds, nameOf } from './explanation.ts';
import type { EventRule, LetPass, Observation, RuleContext, RuleMatch, SignalView } from './rule.ts';
import { StopLineGauge, type StopLineSight } from './stop-line-gauge.ts';
import { computePassing, findLastPassing, isUnbroken, type Passing, timeOf } from './stop-line-passing.ts';
import { computeTravelAngle, movedAsWhole, type StopLinePosition } from './stop-line-position.ts';

/** The road user was seen before the line at least this often; who appears beyond it never fires. */
const MIN_SIGHTS_BEFORE = 2;
/** It was sure to be beyond the line at least this often, and over this time: neighbouring frames share their errors. */
const MIN_SIGHTS_BEYOND = 2;
const MIN_BEYOND_MS = 100;
/** Crossings in another direction (turning traffic, pushing back) are not of this approach. */
const MAX_ANGLE_DEG = 70;
/** Looked back at most this long from the current frame: a crossing is decided by then or never, ms. */
const HORIZON_MS = 3000;
/** Two crossings so near in time whose boxes lie so much on each other are one road user under two track ids. */
const SAME_CROSSING_MS = 400;
const SAME_CROSSING_IOU = 0.45;
/** A direction is told over at least this time before the line, ms. */
const WAY_BEFORE_MS = 250;

interface Crossing {
  readonly decisive: Observation;
  readonly rear: Passing;
  readonly front: Passing;
  /** Of the sight with the largest margin beyond the line so far. */
  readonly widest: StopLinePosition;
}

/**
 * Red light: the rear ground contact passes the stop line forward while the lamp shows red, and the front passed it on red
 * too. States per road user: before → on the line → beyond (sure by its error bound, twice) → fired; cool-down.
 *
 * ```
 *   travel ▲          rear beyond by more than its error, twice → decided at the first frame with rear ≥ 0
 *   ───────┼───────── stop line ─────────
 *          │          rear before by more than its error, twice
 * ```
 */
export class RedLightRule implements EventRule {
  readonly name: string;
  readonly horizonMs = HORIZON_MS;
  readonly #rule: RedLightParameters;
  readonly #gauge: StopLineGauge;
  readonly #cooldown: Cooldown;
  /** Decisive moments that were told already: each is one case, however short the cool-down. */
  readonly #told = new WeakSet<Observation>();
  /** Those of the last moments: a road user that is followed under two ids crosses only once. */
  #recent: Observation[] = [];

  constructor(rule: RedLightParameters, scene: Scene) {
    this.name = rule.name;
    this.#rule = rule;
    this.#gauge = new StopLineGauge(rule, scene);
    this.#cooldown = new Cooldown(rule.cooldownMs);
  }

  update(context: RuleContext): RuleMatch[] {
    const tracks = context.tracks.filter(({ seen, label }) => seen && this.#rule.labels.includes(label));
    return this.#cooldown.judgeEach(tracks, context.frame.mediaTimeMs, (track) => {
      const match = this.#judge(track, context);
      if (match === undefined || this.#told.has(match.observation) || this.#isSameAsTold(match))
        return undefined;
      this.#told.add(match.observation);
      this.#recent.push(match.observation);
      return match;
    });
  }

  #isSameAsTold({ observation }: RuleMatch): boolean {
    const atMs = observation.frame.mediaTimeMs;
    this.#recent = this.#recent.filter(({ frame }) => atMs - frame.mediaTimeMs <= HORIZON_MS);
    return this.#recent.some(
      ({ frame, box }) =>
        Math.abs(frame.mediaTimeMs - atMs) <= SAME_CROSSING_MS &&
        computeIou(box, observation.box) >= SAME_CROSSING_IOU,
    );
  }

  #judge(track: Track, context: RuleContext): RuleMatch | undefined {
    const sights = this.#gauge.follow(track.label, context.history.of(track.trackId));
    const crossing = this.#findCrossing(sights, context.frame.mediaTimeMs);
    if (crossing === undefined) return undefined;
    const { signal: name, graceMs, maxPhaseMs } = this.#rule;
    const { rear, front } = crossing;
    const phase = judgePhase({ signal: name, decisive: rear, front, graceMs, maxPhaseMs }, (signal, atMs) =>
      context.signalAt(signal, atMs),
    );
    if (phase.verdict === 'red') return this.#explain(track, crossing, phase.signal, phase.letPass);
    if (phase.verdict !== 'front-in-time' || !this.#wasHeldByQueue(track, context, phase.signal.sinceMs))
      return undefined;
    return this.#explain(track, crossing, phase.signal, excuse('pushed-by-queue'));
  }

  /** True where it stood over the line behind a queue when the light turned red. */
  #wasHeldByQueue(track: Track, context: RuleContext, onsetMs: number): boolean {
    const member = ({ trackId }: Track) => ({ trackId, sights: context.history.of(trackId) });
    return hadQueueAhead(member(track), context.tracks.map(member), this.#gauge.heading, onsetMs);
  }

  #findCrossing(all: readonly StopLineSight[], nowMs: number): Crossing | undefined {
    const newest = all.at(-1);
    if (newest === undefined || newest.position.rear <= 0) return undefined;
    const from = all.findIndex(({ observation }) => nowMs - observation.frame.mediaTimeMs <= HORIZON_MS);
    const at = findFirstCrossing(all, Math.max(1, from));
    const decisive = all[at];
    if (decisive === undefined) return undefined;
    const before = all.slice(0, at).filter(({ position: p }) => p.rear < -p.rearError);
    const sure = all.flatMap(({ observation: o, position: p }, i) =>
      i >= at && o.groundSeen && p.rear > p.rearError ? [i] : [],
    );
    const confirmedAt = sure.find(
      (i, nth) => nth >= MIN_SIGHTS_BEYOND - 1 && timeOf(all, i) - timeOf(all, sure[0] ?? i) >= MIN_BEYOND_MS,
    );
    if (before.length < MIN_SIGHTS_BEFORE || confirmedAt === undefined) return undefined;
    const cameBack = all.some(
      ({ observation: o, position: p }, i) => i > at && o.groundSeen && p.rear < -p.rearError,
    );
    if (cameBack || !isUnbroken(all.slice(at - 1, confirmedAt + 1))) return undefined;
    if (!this.#wentAlong(all, at)) return undefined;
    const rear = computePassing(all, 'rear', at);
    const beyond = sure.map((i) => (all[i] as StopLineSight).position);
    return {
      decisive: decisive.observation,
      rear,
      front: estimateFrontPassing(all, rear),
      widest: beyond.reduce((a, b) => (b.rear > a.rear ? b : a)),
    };
  }

  /** It moved as a whole, and in the direction in which the line is passed. */
  #wentAlong(all: readonly StopLineSight[], at: number): boolean {
    const start = all.findLast(
      (_, i) => i < at && (timeOf(all, at) - timeOf(all, i) >= WAY_BEFORE_MS || i === 0),
    );
    const [before, newest] = [start?.observation, all.at(-1)?.observation];
    if (before === undefined || newest === undefined) return false;
    const angle = computeTravelAngle(before, newest, this.#gauge.heading, 2);
    return angle !== undefined && angle <= MAX_ANGLE_DEG && movedAsWhole(before, newest);
  }

  #explain(
    track: Track,
    { decisive, rear, front, widest }: Crossing,
    signal: SignalView,
    letPass?: LetPass,
  ): RuleMatch {
    const sinceRedMs = Math.max(0, rear.atMs - signal.sinceMs);
    const who = nameOf(track.label);
    const seconds = formatSeconds(sinceRedMs);
    const least = signal.onsetSeen ? { vi: '', en: '' } : { vi: 'ít nhất ', en: 'at least ' };
    const margin = widest.rear.toFixed(0);
    const error = widest.rearError.toFixed(0);
    return {
      rule: this.name,
      kind: 'RED_LIGHT',
      trackId: track.trackId,
      label: track.label,
      observation: decisive,
      signal: { state: signal.state, sinceMs: sinceRedMs, confidence: signal.confidence },
      alternatives: widest.rear < 2 * widest.rearError ? ['STOP_LINE'] : [],
      ...(letPass === undefined ? {} : { letPass }),
      measures: {
        crossedAtMediaMs: Math.round(rear.atMs),
        crossedEarliestMediaMs: Math.round(rear.earliestMs),
        crossedLatestMediaMs: Math.round(rear.latestMs),
        frontPassedAtMediaMs: Math.round(front.atMs),
        frontPassedEarliestMediaMs: Math.round(front.earliestMs),
        frontPassedLatestMediaMs: Math.round(front.latestMs),
        redBeforeCrossingMs: Math.round(sinceRedMs),
        rearBeyondLinePx: round1(widest.rear),
        rearErrorPx: round1(widest.rearError),
      },
      explanation: {
        vi: `${who.vi} (số hiệu ${track.trackId}) vượt vạch dừng "${this.#rule.stopLine}" bằng bánh sau khi đèn "${this.#rule.signal}" đã đỏ ${least.vi}${seconds.vi} giây; bánh sau quá vạch ${margin} điểm ảnh, sai số ±${error}.`,
        en: `${who.en} (track ${track.trackId}) passed stop line "${this.#rule.stopLine}" with its rear wheel ${least.en}${seconds.en} s after signal "${this.#rule.signal}" turned red; rear ${margin} px beyond the line, error ±${error} px.`,
      },
    };
  }
}

/** The first sight from `from` on in which the rear came from before the line to beyond it, between the ends of the line; -1 where none. */
function findFirstCrossing(all: readonly StopLineSight[], from: number): number {
  return all.findIndex(({ position }, i) => {
    const before = all[i - 1];
    return (
      i >= from &&
      before !== undefined &&
      before.position.rear < 0 &&
      position.rear >= 0 &&
      position.rearWithin
    );
  });
}

/** When the front passed: from its own sights where it was seen coming, else back from the rear at the speed it had then. */
function estimateFrontPassing(all: readonly StopLineSight[], rear: Passing): Passing {
  const seen = findLastPassing(all, 'front', rear.index);
  if (seen !== undefined) return computePassing(all, 'front', seen);
  const [before, here] = [all[rear.index - 1], all[rear.index]];
  if (before === undefined || here === undefined) return rear;
  const durationMs = timeOf(all, rear.index) - timeOf(all, rear.index - 1);
  const speed = Math.max(
    (here.position.rear - before.position.rear) / Math.max(1, durationMs),
    Number.EPSILON,
  );
  const backMs = (px: number): number => rear.atMs - Math.max(0, px) / speed;
  const length = here.position.front - here.position.rear;
  const { frontError } = here.position;
  return {
    index: rear.index,
    atMs: backMs(length),
    earliestMs: backMs(length + frontError),
    latestMs: backMs(length - frontError),
  };
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}
