import type { Scene, StopLineRule as StopLineParameters } from '@ngatu/contract';
import type { Box, Point } from '../geometry/box.ts';
import type { Track } from '../track/track.ts';
import { Cooldown } from './cooldown.ts';
import { judgePhase } from './exculpation.ts';
import { formatSeconds, nameOf } from './explanation.ts';
import type { EventRule, LetPass, Observation, RuleContext, RuleMatch, SignalView } from './rule.ts';
import { StopLineGauge, type StopLineSight } from './stop-line-gauge.ts';
import { computePassing, findLastPassing, type Passing, timeOf } from './stop-line-passing.ts';
import { movedAsWhole } from './stop-line-position.ts';
import { estimateStand, findStand, type Stand } from './stop-line-stand.ts';

/** Seen with its front surely before the line at least this often: who is first seen past it may have come there on green. */
const MIN_SIGHTS_BEFORE = 2;
/** Its wheels were in sight at least this often after the front had passed: what was only inferred flags nobody. */
const MIN_SIGHTS_BEYOND = 2;
/** A match tells of a moment at most this long before the waiting time began, ms: who rolls longer is dated to then. */
const ROLLING_MS = 1000;
/** From the front over the line to standing at most this long: who creeps longer is not judged, ms. */
const MAX_ROLLING_MS = 8000;
/** From surely before to surely beyond at most this long: else its passing is a quirk of the box, ms. */
const MAX_PASSING_MS = 5000;
/** From one sight to the next a body changes its size by less than these factors. */
const MAX_WIDTH_JUMP = 1.6;
const MAX_HEIGHT_JUMP = 1.3;
/** Two who stand nearer to each other than this share of the box width in one red phase are one and the same. */
const SAME_PLACE_SHARE = 0.6;
/** Places are remembered for this long, ms. */
const PLACE_MEMORY_MS = 600_000;

/** A case that was told: where it stood, in which red phase. */
interface ToldPlace {
  readonly trackId: number;
  readonly place: Point;
  readonly width: number;
  readonly redSinceMs: number;
  readonly toldAtMs: number;
}

interface Case {
  readonly decisive: Observation;
  readonly stand: Stand;
  readonly front: Passing;
  readonly waitedMs: number;
}

/**
 * Stop line: on red the front passed the line by more than its error, the rear did not, and the road user stands there for
 * `waitMs`. States per road user: before (surely, twice) → front over the line on red → standing → told; cool-down.
 *
 * ```
 *   travel ▲      ┌──┐ front beyond by more than its error
 *   ───────┼──────│  │── stop line ───────   the place is averaged over the sights while it stands
 *          │      └──┘ rear not surely beyond
 * ```
 *
 * The decisive moment is the first frame with the front beyond. One case a road user: it does not come again while it waits,
 * not even under another track id.
 */
export class StopLineRule implements EventRule {
  readonly name: string;
  readonly horizonMs: number;
  readonly #rule: StopLineParameters;
  readonly #gauge: StopLineGauge;
  readonly #cooldown: Cooldown;
  #told: ToldPlace[] = [];

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
    const sights = this.#gauge.follow(track.label, context.history.of(track.trackId));
    const found = this.#findCase(sights, context.frame.mediaTimeMs);
    if (found === undefined) return undefined;
    const { signal: name, maxPhaseMs } = this.#rule;
    const { front } = found;
    const phase = judgePhase(
      { signal: name, decisive: front, front, graceMs: 0, maxPhaseMs },
      (signal, atMs) => context.signalAt(signal, atMs),
    );
    if (phase.verdict !== 'red' || context.signalAt(name, context.frame.mediaTimeMs)?.state !== 'red')
      return undefined;
    if (this.#isTold(track, found.stand, phase.signal.sinceMs, context)) return undefined;
    return this.#explain(track, found, phase.signal, phase.letPass);
  }

  #findCase(sights: readonly StopLineSight[], nowMs: number): Case | undefined {
    const newest = sights.at(-1)?.position;
    if (newest === undefined || newest.front <= 0 || newest.rear > 3 * newest.rearError) return undefined;
    const from = findStand(sights);
    const waitedMs = nowMs - timeOf(sights, from);
    if (waitedMs < this.#rule.waitMs) return undefined;
    const stand = estimateStand(sights.slice(from));
    if (
      stand === undefined ||
      stand.front <= stand.frontError ||
      !stand.frontWithin ||
      stand.rear > stand.rearError
    )
      return undefined;
    const passed = findLastPassing(sights, 'front', from + Math.floor((sights.length - from) / 3));
    if (passed === undefined || timeOf(sights, from) - timeOf(sights, passed) > MAX_ROLLING_MS)
      return undefined;
    const seenBeyond = sights.filter(
      ({ observation: o, position: p }, i) => i >= passed && o.groundSeen && p.front > 0,
    );
    if (seenBeyond.length < MIN_SIGHTS_BEYOND) return undefined;
    const before = sights.slice(0, passed).filter(({ position: p }) => p.front < -p.frontError);
    const last = before.at(-1);
    if (last === undefined || before.length < MIN_SIGHTS_BEFORE) return undefined;
    if (
      cameBack(sights, passed) ||
      !isOneBody(sights, passed) ||
      !movedAsWhole(last.observation, stand.typical.observation)
    )
      return undefined;
    const oldest = sights.findIndex(
      ({ observation }) => nowMs - observation.frame.mediaTimeMs <= this.horizonMs,
    );
    const decisive = sights[Math.max(passed, oldest)];
    const front = computePassing(sights, 'front', passed);
    if (decisive === undefined || front.latestMs - front.earliestMs > MAX_PASSING_MS) return undefined;
    return { decisive: decisive.observation, stand, front, waitedMs };
  }

  /** True where this very case was told under another track id: nobody else can stand at the place while it does. */
  #isTold(track: Track, stand: Stand, redSinceMs: number, context: RuleContext): boolean {
    const nowMs = context.frame.mediaTimeMs;
    const { box } = stand.typical.observation;
    const place = headOf(box);
    const width = box[2] - box[0];
    this.#told = this.#told.filter(({ toldAtMs }) => nowMs - toldAtMs <= PLACE_MEMORY_MS);
    const isTold = this.#told.some((told) => {
      if (told.redSinceMs !== redSinceMs || !isSamePlace(told, place, width)) return false;
      const still = context.tracks.find(({ trackId }) => trackId === told.trackId);
      return still === undefined || isSamePlace(told, headOf(still.box), width);
    });
    if (!isTold) this.#told.push({ trackId: track.trackId, place, width, redSinceMs, toldAtMs: nowMs });
    return isTold;
  }

  #explain(
    track: Track,
    { decisive, stand, front, waitedMs }: Case,
    signal: SignalView,
    letPass?: LetPass,
  ): RuleMatch {
    const who = nameOf(track.label);
    const waited = formatSeconds(waitedMs);
    const sinceRedMs = Math.max(0, front.atMs - signal.sinceMs);
    return {
      rule: this.name,
      kind: 'STOP_LINE',
      trackId: track.trackId,
      label: track.label,
      observation: decisive,
      signal: { state: signal.state, sinceMs: sinceRedMs, confidence: signal.confidence },
      alternatives: stand.rear > -stand.rearError ? ['RED_LIGHT'] : [],
      ...(letPass === undefined ? {} : { letPass }),
      measures: {
        frontPassedAtMediaMs: Math.round(front.atMs),
        frontPassedEarliestMediaMs: Math.round(front.earliestMs),
        frontPassedLatestMediaMs: Math.round(front.latestMs),
        frontBeyondLinePx: round1(stand.front),
        frontErrorPx: round1(stand.frontError),
        rearBeforeLinePx: round1(-stand.rear),
        rearErrorPx: round1(stand.rearError),
        sightsWhileStanding: stand.sights,
        waitedMs: Math.round(waitedMs),
      },
      explanation: {
        vi: `${who.vi} (số hiệu ${track.trackId}) dừng chờ đèn đỏ "${this.#rule.signal}" ${waited.vi} giây với bánh trước quá vạch dừng "${this.#rule.stopLine}" ${stand.front.toFixed(0)} điểm ảnh (sai số ±${stand.frontError.toFixed(0)}); bánh sau chưa qua vạch.`,
        en: `${who.en} (track ${track.trackId}) waited ${waited.en} s at red signal "${this.#rule.signal}" with its front ${stand.front.toFixed(0)} px past stop line "${this.#rule.stopLine}" (error ±${stand.frontError.toFixed(0)} px); its rear did not cross.`,
      },
    };
  }
}

/** Middle of the upper edge: heads stay in sight where wheels do not. */
function headOf(box: Box): Point {
  return [(box[0] + box[2]) / 2, box[1]];
}

/** Its front had been surely beyond the line, and surely before it again: nobody rolls back, so the track is of two. */
function cameBack(sights: readonly StopLineSight[], passed: number): boolean {
  const beyond = sights.findIndex(({ position: p }) => p.front > p.frontError);
  return (
    beyond >= 0 && sights.some(({ position: p }, i) => i > beyond && i < passed && p.front < -p.frontError)
  );
}

/** The box kept its size while the front passed: a jump is the change from one road user to another. */
function isOneBody(sights: readonly StopLineSight[], passed: number): boolean {
  const [before, after] = [sights[passed - 1]?.observation.box, sights[passed]?.observation.box];
  if (before === undefined || after === undefined) return false;
  const width = (after[2] - after[0]) / Math.max(1, before[2] - before[0]);
  const height = (after[3] - after[1]) / Math.max(1, before[3] - before[1]);
  const jump = (of: number): number => Math.max(of, 1 / of);
  return jump(width) < MAX_WIDTH_JUMP && jump(height) < MAX_HEIGHT_JUMP;
}

function isSamePlace(told: ToldPlace, [x, y]: Point, width: number): boolean {
  return Math.hypot(x - told.place[0], y - told.place[1]) < (SAME_PLACE_SHARE * (told.width + width)) / 2;
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}
