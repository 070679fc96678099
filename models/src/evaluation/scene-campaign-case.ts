import { computeIou, fuseRiders, type OccupantLookup, RoadAnalysis, type RoadFinding } from '@ngatu/edge';
import {
  type CaseTruth,
  detectPerfectly,
  type FrameTruth,
  findLampPhase,
  listFrames,
  type NoiseProfile,
  type SceneCase,
  type SimulatedDetection,
  SimulatedDetector,
} from '@ngatu/simulators';

export type Match = RoadFinding['matches'][number];
type SignalView = NonNullable<Match['signal']> & { readonly onsetSeen: boolean };

/** What the rules said of one case, held against its truth. */
export interface CaseOutcome {
  readonly case: SceneCase;
  /** Truth that was claimed, with how late the rule was sure after the decisive moment, ms. */
  readonly matched: readonly { readonly truth: CaseTruth; readonly match: Match; readonly delayMs: number }[];
  readonly missed: readonly CaseTruth[];
  readonly wrong: readonly WrongClaim[];
  /** Claims on what the truth leaves open. */
  readonly open: number;
  /** Matches that the exculpatory pass let go. */
  readonly letPass: number;
}

/** A claim with the road user that it really is about, where there is one. */
export interface WrongClaim {
  readonly match: Match;
  readonly userId?: number;
  readonly why: 'false' | 'again' | 'late';
}

/** One analysed frame of a case, for those who watch. */
export interface CaseFrame {
  readonly truth: FrameTruth;
  readonly detections: readonly SimulatedDetection[];
  readonly finding: RoadFinding;
}

/** A claim belongs to the road user whose box it covers most, at least so (IoU of whole boxes). */
const MIN_OVERLAP = 0.2;
/** A rule may name a moment this much beside what the truth allows, ms. */
const TIME_SLACK_MS = 600;

/**
 * Plays a case through tracker and rules with the detector's noise, or without any, and judges what they said. Pure: the case and the profile decide
 * everything. Frames are taken no faster than the scene's `maxFps`, as the camera does.
 */
export function playCase(
  scene: SceneCase,
  noise: NoiseProfile | undefined,
  onFrame?: (frame: CaseFrame) => void,
): CaseOutcome {
  const noisy =
    noise === undefined
      ? undefined
      : new SimulatedDetector(noise, { seed: scene.seed, picture: scene.world.camera });
  const road = new RoadAnalysis(scene.scene);
  const frames: FrameTruth[] = [];
  const claims: { match: Match; sureMs: number }[] = [];
  const leastStepMs = 1000 / scene.scene.analysis.maxFps - 0.5;
  for (const truth of listFrames(scene.world)) {
    const last = frames.at(-1);
    if (last !== undefined && truth.atMs - last.atMs < leastStepMs) continue;
    frames.push(truth);
    const detections = noisy?.detect(truth) ?? detectPerfectly(truth);
    const mark = { index: truth.index, mediaTimeMs: truth.atMs, capturedAtMs: truth.atMs };
    const occupants =
      noise !== undefined && noise.riderCounts === undefined ? undefined : listRiders(detections);
    const finding = road.update(
      mark,
      fuseRiders(detections),
      (_, atMs) => viewSignal(scene, atMs),
      undefined,
      {
        occupants,
      },
    );
    claims.push(...finding.matches.map((match) => ({ match, sureMs: truth.atMs })));
    onFrame?.({ truth, detections, finding });
  }
  return judgeCase(scene, frames, claims);
}

/** What was counted on two-wheelers, as the product has it of a picture. */
function listRiders(detections: readonly SimulatedDetection[]): OccupantLookup {
  return new Map(detections.flatMap(({ box, riders }) => (riders === undefined ? [] : [[box, riders]])));
}

/** The lamp as a reader sees it: a state begins with the first frame that shows it. */
function viewSignal({ world }: SceneCase, atMs: number): SignalView | undefined {
  const phase = findLampPhase(world.lamp, atMs);
  if (phase === undefined) return undefined;
  const frameMs = 1000 / world.fps;
  const sinceMs = Math.max(0, Math.ceil(phase.sinceMs / frameMs) * frameMs);
  return { state: phase.state, sinceMs, confidence: 0.95, onsetSeen: phase.sinceMs > 0 };
}

function judgeCase(
  scene: SceneCase,
  frames: readonly FrameTruth[],
  claims: readonly { match: Match; sureMs: number }[],
): CaseOutcome {
  const matched: { truth: CaseTruth; match: Match; delayMs: number }[] = [];
  const wrong: WrongClaim[] = [];
  let [open, letPass] = [0, 0];
  for (const { match, sureMs } of claims) {
    if (match.kind !== scene.kind) continue;
    if (match.letPass !== undefined) {
      letPass += 1;
      continue;
    }
    const userId = findUser(frames, match);
    const about = scene.truth.filter((entry) => entry.kind === match.kind && entry.userId === userId);
    const atMs = match.observation.frame.mediaTimeMs;
    const fitting = about.find(
      ({ fromMs, untilMs }) => atMs >= fromMs - TIME_SLACK_MS && atMs <= untilMs + TIME_SLACK_MS,
    );
    const who = userId === undefined ? {} : { userId };
    if (fitting === undefined) wrong.push({ match, ...who, why: about.length > 0 ? 'late' : 'false' });
    else if (fitting.isOpen) open += 1;
    else if (matched.some(({ truth }) => truth === fitting)) wrong.push({ match, ...who, why: 'again' });
    else matched.push({ truth: fitting, match, delayMs: sureMs - fitting.atMs });
  }
  const missed = scene.truth.filter(
    (truth) => !truth.isOpen && truth.kind === scene.kind && !matched.some((entry) => entry.truth === truth),
  );
  return { case: scene, matched, missed, wrong, open, letPass };
}

/** Who stands behind a claim: whose box its box covers best in the frame that it names. */
function findUser(frames: readonly FrameTruth[], match: Match): number | undefined {
  const frame = frames.find(({ index }) => index === match.observation.frame.index);
  let best: number | undefined;
  let most = MIN_OVERLAP;
  for (const user of frame?.users ?? []) {
    const overlap = computeIou(user.box, match.observation.box);
    if (overlap <= most) continue;
    most = overlap;
    best = user.userId;
  }
  return best;
}
