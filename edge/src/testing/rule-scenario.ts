import type { Measurement, Scene, SignalState } from '@ngatu/contract';
import type { LineCrossing } from '../rules/line-count.ts';
import type { HeadFinding, RuleMatch, RuleMemory, SignalView } from '../rules/rule.ts';
import { RuleSet } from '../rules/rule-set.ts';
import { TrackHistory } from '../rules/track-history.ts';
import type { OccupantShares, Track } from '../track/track.ts';
import { aFrameMark, aTrack } from './builder.ts';
import { computeScriptedBox, type ScriptedRoadUser } from './scripted-road-user.ts';

/** Phases of a light, oldest first; the onset of the first one is not seen. */
export type ScriptedSignal = readonly { readonly state: SignalState; readonly sinceMs: number }[];

export interface RuleScenario {
  readonly scene: Scene;
  readonly users: readonly ScriptedRoadUser[];
  readonly signal?: ScriptedSignal;
  readonly fps?: number;
  readonly fromMs?: number;
  readonly untilMs: number;
  /** True while no picture comes. */
  readonly isBlind?: (atMs: number) => boolean;
  /** What the rules of an earlier session remember. */
  readonly memory?: RuleMemory;
}

export interface ScenarioOutcome {
  /** What fired, with the media time of the frame in which the rule was sure. */
  readonly matches: readonly (RuleMatch & { readonly sureAtMs: number })[];
  readonly crossings: readonly LineCrossing[];
  /** All traffic figures, with those of the last open window. */
  readonly measurements: readonly Measurement[];
  readonly memory: RuleMemory;
}

const DEFAULT_FPS = 12.5;

/**
 * Plays a scripted scene through the rules frame by frame. The light is called `main`.
 * @throws RangeError where a rule tells of a moment before its horizon
 */
export function playScenario(scenario: RuleScenario): ScenarioOutcome {
  const { scene, users, signal = [], fps = DEFAULT_FPS, fromMs = 0, untilMs } = scenario;
  const rules = new RuleSet(scene);
  const history = new TrackHistory();
  const matches: (RuleMatch & { sureAtMs: number })[] = [];
  const crossings: LineCrossing[] = [];
  const measurements: Measurement[] = [];
  if (scenario.memory !== undefined) rules.recall(scenario.memory);
  for (let index = 0; fromMs + (index * 1000) / fps <= untilMs; index++) {
    const frame = aFrameMark({ index, mediaTimeMs: fromMs + (index * 1000) / fps });
    if (scenario.isBlind?.(frame.mediaTimeMs)) continue;
    const tracks = users.flatMap((user) => toTrack(user, frame.mediaTimeMs));
    history.add(frame, tracks);
    const heads = readHeads(users, tracks, frame.mediaTimeMs);
    const occupants = countRiders(users, tracks, frame.mediaTimeMs);
    const found = rules.update({
      frame,
      pictureWidth: scene.picture.width,
      pictureHeight: scene.picture.height,
      tracks,
      history,
      ...(heads === undefined ? {} : { heads }),
      ...(occupants === undefined ? {} : { occupants }),
      signalAt: (name, atMs) => (name === 'main' ? findPhase(signal, atMs) : undefined),
    });
    for (const match of found.matches) {
      const ageMs = frame.mediaTimeMs - match.observation.frame.mediaTimeMs;
      if (ageMs < 0 || ageMs > rules.horizonMs) {
        throw new RangeError(
          `${match.kind} was told ${ageMs} ms after it happened, horizon ${rules.horizonMs} ms`,
        );
      }
      matches.push({ ...match, sureAtMs: frame.mediaTimeMs });
    }
    crossings.push(...found.crossings);
    measurements.push(...found.measurements);
  }
  measurements.push(...rules.finish());
  return { matches, crossings, measurements, memory: rules.remember() };
}

function toTrack(user: ScriptedRoadUser, atMs: number): Track[] {
  const box = computeScriptedBox(user, atMs);
  if (box === undefined) return [];
  const seen = user.seen?.(atMs) ?? true;
  const groundSeen = seen && (user.groundSeen?.(atMs) ?? true);
  const state = seen ? 'confirmed' : 'lost';
  return [
    aTrack({
      trackId: user.trackId,
      label: user.label,
      box,
      seen,
      groundSeen,
      state,
      occupants: seen ? (user.occupants?.(box, atMs) ?? []) : [],
      firstSeenMs: user.path[0]?.atMs ?? atMs,
      lastSeenMs: atMs,
    }),
  ];
}

function readHeads(
  users: readonly ScriptedRoadUser[],
  tracks: readonly Track[],
  atMs: number,
): Map<number, readonly HeadFinding[]> | undefined {
  if (!users.some(({ heads }) => heads !== undefined)) return undefined;
  const read = new Map<number, readonly HeadFinding[]>();
  for (const { trackId, seen, box } of tracks) {
    const user = users.find((candidate) => candidate.trackId === trackId);
    if (seen && user?.heads !== undefined) read.set(trackId, user.heads(box, atMs));
  }
  return read;
}

function countRiders(
  users: readonly ScriptedRoadUser[],
  tracks: readonly Track[],
  atMs: number,
): Map<number, OccupantShares> | undefined {
  if (!users.some(({ counted }) => counted !== undefined)) return undefined;
  const shares = new Map<number, OccupantShares>();
  for (const { trackId, seen } of tracks) {
    const found = users.find((candidate) => candidate.trackId === trackId)?.counted?.(atMs);
    if (seen && found !== undefined) shares.set(trackId, found);
  }
  return shares;
}

function findPhase(signal: ScriptedSignal, atMs: number): SignalView | undefined {
  const index = signal.findLastIndex(({ sinceMs }) => sinceMs <= atMs);
  const phase = signal[index];
  return phase === undefined ? undefined : { ...phase, confidence: 0.9, onsetSeen: index > 0 };
}
