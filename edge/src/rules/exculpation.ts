import type { Directive, EventKind, LetPassReason } from '@ngatu/contract';
import { computeGroundPoint, type Point } from '../geometry/box.ts';
import { formatSeconds } from './explanation.ts';
import type { LetPass, Observation, RuleContext, RuleMatch, SignalView } from './rule.ts';
import type { Passing } from './stop-line-passing.ts';

/** An unlit lamp counts as one that was red as long as this after the last red, ms; later it is blind time. */
const DARK_AFTER_RED_MS = 20_000;
/**
 * Who may just have passed with the front when red came clears the line within this time, also from standing, ms. Who stood at the
 * line for longer waited on red there, and drives on red when it drives.
 */
const CLEARING_MS = 6_000;
/** Who moves less than this share of its box height within the time below stands. */
const STANDING_HEIGHTS = 0.12;
const STANDING_MS = 600;
/** A road user ahead is a queue where the gap to it is less than this many box heights … */
const QUEUE_GAP_HEIGHTS = 1.2;
/** … and its middle lies within this share of the two widths beside the way. */
const QUEUE_WIDTH_SHARE = 0.5;

/** Rules whose command an officer's sign replaces: the officer goes before lamps, signs and markings. */
const OFFICER_OVERRULES: ReadonlySet<EventKind> = new Set([
  'RED_LIGHT',
  'STOP_LINE',
  'WRONG_WAY',
  'LANE',
  'SOLID_LINE',
  'FORBIDDEN_TURN',
  'STOP_PARK',
  'FORBIDDEN_AREA',
  'ZEBRA_YIELD',
  'BLOCKED_JUNCTION',
]);
/** What road users do to make way, and the emergency vehicle itself may. */
const EMERGENCY_EXCUSES: ReadonlySet<EventKind> = new Set([...OFFICER_OVERRULES, 'SPEED']);

/** What the phases of a light say about who passed a line: `in-time` is no case at all. */
export type PhaseVerdict =
  | { readonly verdict: 'in-time' | 'unknown' }
  | { readonly verdict: 'front-in-time'; readonly signal: SignalView }
  | { readonly verdict: 'red'; readonly signal: SignalView; readonly letPass?: LetPass };

export interface PhaseQuestion {
  readonly signal: string;
  /** The passing that the rule decides on, and that of the front: who was over the line in time may go on. */
  readonly decisive: Passing;
  readonly front: Passing;
  /** Let pass so soon after the onset, ms. */
  readonly graceMs: number;
  readonly maxPhaseMs: number;
}

/**
 * Whether a light forbade a passing. Bounds favour the road user: where the front may have passed before the onset, or the
 * lamp may be stuck or dark, the case is kept and let pass.
 */
export function judgePhase(question: PhaseQuestion, signalAt: RuleContext['signalAt']): PhaseVerdict {
  const { decisive, front } = question;
  const shown = signalAt(question.signal, decisive.atMs);
  if (shown === undefined) return { verdict: 'unknown' };
  const dark = shown.state === 'off' || shown.state === 'unknown';
  const signal = dark ? signalAt(question.signal, shown.sinceMs - 1) : shown;
  if (signal?.state !== 'red') return { verdict: 'in-time' };
  if (dark && decisive.atMs - shown.sinceMs > DARK_AFTER_RED_MS) return { verdict: 'unknown' };
  const redFromMs = signal.sinceMs + (signal.onsetErrorMs ?? 0);
  const sinceRedMs = decisive.atMs - redFromMs;
  if (signal.onsetSeen && front.latestMs < signal.sinceMs) return { verdict: 'front-in-time', signal };
  const letPass =
    (dark ? excuse('dark-lamp', decisive.atMs - shown.sinceMs) : undefined) ??
    (decisive.atMs - signal.sinceMs > question.maxPhaseMs
      ? excuse('stuck-lamp', decisive.atMs - signal.sinceMs)
      : undefined) ??
    (signal.onsetSeen &&
    (sinceRedMs < question.graceMs || (front.earliestMs < redFromMs && sinceRedMs < CLEARING_MS))
      ? excuse('phase-just-begun', sinceRedMs)
      : undefined);
  return { verdict: 'red', signal, ...(letPass === undefined ? {} : { letPass }) };
}

/** A road user with the sights of it, as far as they are needed to tell a queue. */
export interface QueueMember {
  readonly trackId: number;
  readonly sights: readonly Observation[];
}

/**
 * True where somebody stood right ahead of a road user at an instant: it could not go on, although it wanted to.
 * @param heading direction of travel in the picture
 */
export function hadQueueAhead(
  own: QueueMember,
  others: Iterable<QueueMember>,
  heading: Point,
  atMs: number,
): boolean {
  const here = findLatestSight(own.sights, atMs);
  const norm = Math.hypot(heading[0], heading[1]);
  if (here === undefined || norm === 0) return false;
  const [x, y] = computeGroundPoint(here.box);
  const height = here.box[3] - here.box[1];
  for (const other of others) {
    const there = other.trackId === own.trackId ? undefined : findLatestSight(other.sights, atMs);
    if (there === undefined || !stoodAt(other.sights, there, atMs)) continue;
    const [ox, oy] = computeGroundPoint(there.box);
    const ahead = ((ox - x) * heading[0] + (oy - y) * heading[1]) / norm;
    const beside = Math.abs((ox - x) * heading[1] - (oy - y) * heading[0]) / norm;
    const widths = here.box[2] - here.box[0] + there.box[2] - there.box[0];
    if (ahead > 0 && ahead < QUEUE_GAP_HEIGHTS * height && beside < QUEUE_WIDTH_SHARE * widths) return true;
  }
  return false;
}

/** What an operator declared goes before every rule: the matches that stay, those let pass with their reason. */
export function applyDirectives(
  matches: readonly RuleMatch[],
  directivesAt: (capturedAtMs: number) => readonly Directive[],
): RuleMatch[] {
  return matches.flatMap((match) => {
    const inForce = directivesAt(match.observation.frame.capturedAtMs);
    if (inForce.some(({ kind }) => kind === 'rules-suspended')) return [];
    const reason = findDeclaredReason(match.kind, inForce);
    return [reason === undefined ? match : { ...match, letPass: excuse(reason) }];
  });
}

function findDeclaredReason(kind: EventKind, directives: readonly Directive[]): LetPassReason | undefined {
  const has = (wanted: Directive['kind']): boolean =>
    directives.some((directive) => directive.kind === wanted);
  if (has('emergency-passage') && EMERGENCY_EXCUSES.has(kind)) return 'emergency-vehicle';
  if (has('officer-directing') && OFFICER_OVERRULES.has(kind)) return 'officer-directing';
  return undefined;
}

/** The words for a reason. @param durationMs how long what speaks for the road user had lasted, where that says something */
export function excuse(reason: LetPassReason, durationMs = 0): LetPass {
  const { vi, en } = formatSeconds(Math.max(0, durationMs));
  switch (reason) {
    case 'emergency-vehicle':
      return {
        reason,
        explanation: {
          vi: 'Cho qua: đã khai báo xe ưu tiên đi qua vào lúc này.',
          en: 'Let pass: passage of an emergency vehicle was declared for this time.',
        },
      };
    case 'officer-directing':
      return {
        reason,
        explanation: {
          vi: 'Cho qua: đã khai báo cảnh sát đang điều khiển giao thông vào lúc này.',
          en: 'Let pass: an officer was declared to be directing the traffic at this time.',
        },
      };
    case 'stuck-lamp':
      return {
        reason,
        explanation: {
          vi: `Cho qua: đèn đã đỏ liên tục ${vi} giây, có thể đèn bị kẹt.`,
          en: `Let pass: the light had been red for ${en} s without a change; it may be stuck.`,
        },
      };
    case 'dark-lamp':
      return {
        reason,
        explanation: {
          vi: `Cho qua: đèn đỏ đã tắt ${vi} giây trước đó, người đi đường không thấy đèn.`,
          en: `Let pass: the red lamp had gone dark ${en} s before; nobody could see it.`,
        },
      };
    case 'phase-just-begun':
      return {
        reason,
        explanation: {
          vi: `Cho qua: đèn vừa chuyển đỏ (${vi} giây), sai số không loại trừ việc bánh trước đã qua vạch trước đó.`,
          en: `Let pass: red had just begun (${en} s); the error does not exclude that the front passed before it.`,
        },
      };
    case 'pushed-by-queue':
      return {
        reason,
        explanation: {
          vi: 'Cho qua: bánh trước đã qua vạch trước khi đèn đỏ và phía trước bị ùn lại.',
          en: 'Let pass: its front was over the line before red, and a queue ahead held it there.',
        },
      };
  }
}

function findLatestSight(sights: readonly Observation[], atMs: number): Observation | undefined {
  const before = sights.findLast(({ frame }) => frame.mediaTimeMs <= atMs);
  return before !== undefined && atMs - before.frame.mediaTimeMs <= STANDING_MS ? before : undefined;
}

function stoodAt(sights: readonly Observation[], there: Observation, atMs: number): boolean {
  const earlier = sights.findLast(({ frame }) => frame.mediaTimeMs <= atMs - STANDING_MS);
  if (earlier === undefined) return false;
  const [x1, y1] = computeGroundPoint(earlier.box);
  const [x2, y2] = computeGroundPoint(there.box);
  return Math.hypot(x2 - x1, y2 - y1) < STANDING_HEIGHTS * (there.box[3] - there.box[1]);
}
