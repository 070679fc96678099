import type { RedLightRule as RedLightParameters, Scene } from '@ngatu/contract';
import type { Track } from '../track/track.ts';
import { Cooldown } from './cooldown.ts';
import { formatSeconds, nameOf } from './explanation.ts';
import type { EventRule, Observation, RuleContext, RuleMatch, SignalView } from './rule.ts';
import { StopLineGauge } from './stop-line-gauge.ts';
import { computeTravelAngle, movedAsWhole, type StopLinePosition } from './stop-line-position.ts';

/** The road user was seen before the line at least this often; who appears beyond it never fires. */
const MIN_OBSERVATIONS_BEFORE = 2;
/** Between two sights around the line at most this long, ms: a longer gap may join two road users. */
const MAX_GAP_MS = 700;
/** It was sure to be beyond the line at least this often. */
const MIN_OBSERVATIONS_BEYOND = 2;
/** Crossings in another direction (turning traffic, pushing back) are not of this approach. */
const MAX_ANGLE_DEG = 70;
/** Looked back at most this long from the current frame: a crossing is decided by then or never, ms. */
const HORIZON_MS = 2500;

interface Crossing {
  readonly last: Observation;
  readonly first: Observation;
  readonly lastPosition: StopLinePosition;
  readonly firstPosition: StopLinePosition;
  /** Largest margin beyond the line so far over its error, px. */
  readonly marginPx: number;
  readonly marginErrorPx: number;
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
      if (match === undefined || this.#told.has(match.observation)) return undefined;
      this.#told.add(match.observation);
      return match;
    });
  }

  #judge(track: Track, context: RuleContext): RuleMatch | undefined {
    const crossing = this.#findCrossing(track, context);
    if (crossing === undefined) return undefined;
    const crossedAtMs = interpolateCrossing(crossing);
    const signal = context.signalAt(this.#rule.signal, crossedAtMs);
    if (signal?.state !== 'red') return undefined;
    if (signal.onsetSeen && crossedAtMs - signal.sinceMs < this.#rule.graceMs) return undefined;
    // a vehicle that stood over the line when red came is let go: its front passed in time
    if (signal.onsetSeen && estimateFrontPassing(crossing, crossedAtMs) < signal.sinceMs) return undefined;
    if (signal.onsetSeen && this.#wasFrontPast(track, context, signal.sinceMs)) return undefined;
    return this.#explain(track, crossing, crossedAtMs, signal);
  }

  /** True where the front was surely past the line in the last sight up to `atMs`. */
  #wasFrontPast(track: Track, context: RuleContext, atMs: number): boolean {
    const sight = context.history.of(track.trackId).findLast((o) => o.frame.mediaTimeMs <= atMs);
    if (sight === undefined) return false;
    const { front, frontError } = this.#gauge.positionOf(track.label, sight);
    return front > frontError;
  }

  #findCrossing(track: Track, context: RuleContext): Crossing | undefined {
    const seen = context.history
      .of(track.trackId)
      .filter((o) => context.frame.mediaTimeMs - o.frame.mediaTimeMs <= HORIZON_MS);
    const positions = seen.map((o) => this.#gauge.positionOf(track.label, o));
    const at = positions.findIndex((p, i) => {
      const before = positions[i - 1];
      return before !== undefined && before.rear < 0 && p.rear >= 0 && p.rearWithin;
    });
    const [last, first] = [seen[at - 1], seen[at]];
    const [lastPosition, firstPosition] = [positions[at - 1], positions[at]];
    if (
      last === undefined ||
      first === undefined ||
      lastPosition === undefined ||
      firstPosition === undefined
    )
      return undefined;
    const before = positions.slice(0, at).filter((p) => p.rear < -p.rearError);
    const sure = positions.flatMap((p, i) =>
      i >= at && seen[i]?.groundSeen && p.rear > p.rearError ? [i] : [],
    );
    const confirmedAt = sure[MIN_OBSERVATIONS_BEYOND - 1];
    if (before.length < MIN_OBSERVATIONS_BEFORE || confirmedAt === undefined) return undefined;
    const cameBack = positions.some((p, i) => i > at && seen[i]?.groundSeen && p.rear < -p.rearError);
    if (cameBack || !isUnbroken(seen.slice(at - 1, confirmedAt + 1))) return undefined;
    const beyond = sure.map((i) => positions[i] as StopLinePosition);
    const firstBefore = seen[Math.max(0, at - 3)] ?? last;
    const newest = seen.at(-1) ?? first;
    const angle = computeTravelAngle(firstBefore, newest, this.#gauge.heading, 2);
    if (angle === undefined || angle > MAX_ANGLE_DEG || !movedAsWhole(firstBefore, newest)) return undefined;
    const widest = beyond.reduce((a, b) => (b.rear > a.rear ? b : a));
    return {
      last,
      first,
      lastPosition,
      firstPosition,
      marginPx: widest.rear,
      marginErrorPx: widest.rearError,
    };
  }

  #explain(track: Track, crossing: Crossing, crossedAtMs: number, signal: SignalView): RuleMatch {
    const sinceRedMs = Math.max(0, crossedAtMs - signal.sinceMs);
    const who = nameOf(track.label);
    const seconds = formatSeconds(sinceRedMs);
    const least = signal.onsetSeen ? { vi: '', en: '' } : { vi: 'ít nhất ', en: 'at least ' };
    const margin = crossing.marginPx.toFixed(0);
    const error = crossing.marginErrorPx.toFixed(0);
    return {
      rule: this.name,
      kind: 'RED_LIGHT',
      trackId: track.trackId,
      label: track.label,
      observation: crossing.first,
      signal: { state: signal.state, sinceMs: sinceRedMs, confidence: signal.confidence },
      alternatives: crossing.marginPx < 2 * crossing.marginErrorPx ? ['STOP_LINE'] : [],
      measures: {
        crossedAtMediaMs: Math.round(crossedAtMs),
        redBeforeCrossingMs: Math.round(sinceRedMs),
        rearBeyondLinePx: round1(crossing.marginPx),
        rearErrorPx: round1(crossing.marginErrorPx),
      },
      explanation: {
        vi: `${who.vi} (số hiệu ${track.trackId}) vượt vạch dừng "${this.#rule.stopLine}" bằng bánh sau khi đèn "${this.#rule.signal}" đã đỏ ${least.vi}${seconds.vi} giây; bánh sau quá vạch ${margin} điểm ảnh, sai số ±${error}.`,
        en: `${who.en} (track ${track.trackId}) passed stop line "${this.#rule.stopLine}" with its rear wheel ${least.en}${seconds.en} s after signal "${this.#rule.signal}" turned red; rear ${margin} px beyond the line, error ±${error} px.`,
      },
    };
  }
}

/** The instant at which the front was on the line, from the speed of the rear over it, ms. */
function estimateFrontPassing(
  { last, first, lastPosition, firstPosition }: Crossing,
  crossedAtMs: number,
): number {
  const durationMs = first.frame.mediaTimeMs - last.frame.mediaTimeMs;
  const speed = (firstPosition.rear - lastPosition.rear) / Math.max(1, durationMs);
  const length = Math.max(0, firstPosition.front - firstPosition.rear);
  return crossedAtMs - length / Math.max(speed, Number.EPSILON);
}

function isUnbroken(observations: readonly Observation[]): boolean {
  return observations.every((o, i) => {
    const before = observations[i - 1];
    return before === undefined || o.frame.mediaTimeMs - before.frame.mediaTimeMs <= MAX_GAP_MS;
  });
}

/** The instant at which the rear was on the line, between the last frame before it and the first one beyond, ms. */
function interpolateCrossing({ last, first, lastPosition, firstPosition }: Crossing): number {
  const span = firstPosition.rear - lastPosition.rear;
  const share = span > 0 ? -lastPosition.rear / span : 1;
  return last.frame.mediaTimeMs + share * (first.frame.mediaTimeMs - last.frame.mediaTimeMs);
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}
