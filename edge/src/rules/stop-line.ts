import type { Scene, StopLineRule as StopLineParameters } from '@ngatu/contract';
import { computeGroundPoint } from '../geometry/box.ts';
import type { Track } from '../track/track.ts';
import { Cooldown } from './cooldown.ts';
import { formatSeconds, nameOf } from './explanation.ts';
import type { EventRule, Observation, RuleContext, RuleMatch, SignalView } from './rule.ts';
import { StopLineGauge } from './stop-line-gauge.ts';
import { movedAsWhole, type StopLinePosition } from './stop-line-position.ts';

/** Seen at least this often while it stood. */
const MIN_OBSERVATIONS = 3;
/** Standing: the ground point moves less than this share of the box height over the waiting time. */
const MAX_DRIFT_HEIGHTS = 0.12;

/** Which of the sights while standing is believed, counted from the least past the line. */
const CAUTIOUS_QUANTILE = 0.2;

/** From the front over the line to standing at most this long: who creeps longer is not judged, ms. */
const ROLLING_MS = 1000;

interface Sight {
  readonly observation: Observation;
  readonly position: StopLinePosition;
}

/**
 * Stop line: on red the front passed the line by more than its error, the rear did not, and the road user stands there for
 * `waitMs`. The decisive moment is the first frame in which the front was surely past. One case a road user: it does
 * not come again while it waits.
 */
export class StopLineRule implements EventRule {
  readonly name: string;
  readonly horizonMs: number;
  readonly #rule: StopLineParameters;
  readonly #gauge: StopLineGauge;
  readonly #cooldown: Cooldown;

  constructor(rule: StopLineParameters, scene: Scene) {
    this.name = rule.name;
    this.#rule = rule;
    this.horizonMs = rule.waitMs + ROLLING_MS;
    this.#gauge = new StopLineGauge(rule, scene);
    this.#cooldown = new Cooldown(Math.max(rule.cooldownMs, 120_000));
  }

  update(context: RuleContext): RuleMatch[] {
    const tracks = context.tracks.filter(({ seen, label }) => seen && this.#rule.labels.includes(label));
    return this.#cooldown.judgeEach(tracks, context.frame.mediaTimeMs, (track) =>
      this.#judge(track, context),
    );
  }

  #judge(track: Track, context: RuleContext): RuleMatch | undefined {
    const sights = context.history.of(track.trackId).map((observation) => ({
      observation,
      position: this.#gauge.positionOf(track.label, observation),
    }));
    const nowMs = context.frame.mediaTimeMs;
    const standing = findStandingStretch(sights);
    const first = standing[0];
    const typical = pickCautious(standing.filter(({ observation }) => observation.groundSeen));
    if (first === undefined || typical === undefined || !isPast(typical.position)) return undefined;
    const waitedMs = nowMs - first.observation.frame.mediaTimeMs;
    if (waitedMs < this.#rule.waitMs || typical.position.rear > typical.position.rearError) return undefined;
    // it was seen with its front before the line: who is first seen past it may have come there on green
    const since = sights.findLastIndex(({ position }) => position.front < 0);
    const [before, decisive] = [sights[since], sights[since + 1]];
    if (before === undefined || decisive === undefined) return undefined;
    if (nowMs - decisive.observation.frame.mediaTimeMs > this.horizonMs) return undefined;
    if (!movedAsWhole(before.observation, typical.observation)) return undefined;
    const signal = context.signalAt(this.#rule.signal, decisive.observation.frame.mediaTimeMs);
    if (signal?.state !== 'red' || context.signalAt(this.#rule.signal, nowMs)?.state !== 'red')
      return undefined;
    return this.#explain(track, decisive, typical, signal, waitedMs);
  }

  #explain(track: Track, decisive: Sight, standing: Sight, signal: SignalView, waitedMs: number): RuleMatch {
    const who = nameOf(track.label);
    const waited = formatSeconds(waitedMs);
    const { front, frontError, rear } = standing.position;
    const sinceRedMs = Math.max(0, decisive.observation.frame.mediaTimeMs - signal.sinceMs);
    return {
      rule: this.name,
      kind: 'STOP_LINE',
      trackId: track.trackId,
      label: track.label,
      observation: decisive.observation,
      signal: { state: signal.state, sinceMs: sinceRedMs, confidence: signal.confidence },
      alternatives: [],
      measures: {
        frontBeyondLinePx: Math.round(front * 10) / 10,
        frontErrorPx: Math.round(frontError * 10) / 10,
        rearBeforeLinePx: Math.round(-rear * 10) / 10,
        waitedMs: Math.round(waitedMs),
      },
      explanation: {
        vi: `${who.vi} (số hiệu ${track.trackId}) dừng chờ đèn đỏ "${this.#rule.signal}" ${waited.vi} giây với bánh trước quá vạch dừng "${this.#rule.stopLine}" ${front.toFixed(0)} điểm ảnh (sai số ±${frontError.toFixed(0)}); bánh sau chưa qua vạch.`,
        en: `${who.en} (track ${track.trackId}) waited ${waited.en} s at red signal "${this.#rule.signal}" with its front ${front.toFixed(0)} px past stop line "${this.#rule.stopLine}" (error ±${frontError.toFixed(0)} px); its rear did not cross.`,
      },
    };
  }
}

/** The newest sights during which the road user did not move, oldest first. */
function findStandingStretch(sights: readonly Sight[]): readonly Sight[] {
  const newest = sights.at(-1);
  if (newest === undefined) return [];
  const [x, y] = computeGroundPoint(newest.observation.box);
  const drift = MAX_DRIFT_HEIGHTS * (newest.observation.box[3] - newest.observation.box[1]);
  let from = sights.length;
  while (from > 0) {
    const [sx, sy] = computeGroundPoint((sights[from - 1] as Sight).observation.box);
    if (Math.hypot(sx - x, sy - y) > drift) break;
    from -= 1;
  }
  return sights.slice(from);
}

/**
 * The sight at the lower fifth of how far the front is past the line. What hides the wheels pushes the estimate forward, never
 * back, so the cautious end of the sights is the likelier one too.
 */
function pickCautious(sights: readonly Sight[]): Sight | undefined {
  if (sights.length < MIN_OBSERVATIONS) return undefined;
  const sorted = [...sights].sort((a, b) => a.position.front - b.position.front);
  return sorted[Math.floor(sorted.length * CAUTIOUS_QUANTILE)];
}

function isPast(position: StopLinePosition): boolean {
  return position.front > position.frontError && position.frontWithin;
}
