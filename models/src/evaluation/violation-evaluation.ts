import { NgatuError } from '@ngatu/contract';
import type { Detector, LampNet, OccupantNet, ReplayEvent, ReplayResult } from '@ngatu/edge';
import { runReplay } from '@ngatu/edge';
import { computeProportion, formatProportion, type Proportion } from './interval.ts';
import { loadViolationClips, type ViolationClip } from './violation-clip.ts';
import { type Claim, type KindOutcome, matchViolations } from './violation-match.ts';
import { compareRuns, type ThinComparison } from './violation-thin.ts';
import { listTruthEvents, type TruthEvent, type ViolationTruth } from './violation-truth.ts';

export interface ViolationEvaluationOptions {
  /** Folder with `NAME.mp4` and `NAME.truth.json`; `NAME.scene.yaml` there or in `scenesDir`. */
  readonly dataDir: string;
  /** Scenes for clips that bring none; matched by `video` names that begin with the scene's name. */
  readonly scenesDir: string;
  readonly detector: Detector;
  /** Reads lamps beside their colours; absent: colours alone. The caller closes it. */
  readonly lampNet?: LampNet | undefined;
  readonly occupantNet?: OccupantNet | undefined;
  /** Looks at every n-th frame too, and compares; not where it is left out. */
  readonly thin?: number;
  readonly onClip?: (name: string) => void;
}

export interface LampRecall {
  readonly state: string;
  readonly recall: Proportion;
}

export interface ClipEvaluation {
  readonly clip: string;
  readonly sceneSha256: string;
  readonly outcomes: readonly KindOutcome[];
  readonly lamps: readonly LampRecall[];
  /** Kept with the reason that speaks for the road user: neither claims nor forgotten. */
  readonly letPass: readonly Claim[];
  readonly thinned?: ThinComparison;
  readonly replay: ReplayResult;
}

export interface ViolationMetrics {
  readonly model: { readonly name: string; readonly sha256: string };
  readonly kinds: readonly {
    readonly kind: string;
    readonly precision: Proportion;
    readonly recall: Proportion;
    readonly ignored: number;
    readonly medianDelayMs?: number;
  }[];
  readonly lamps: readonly LampRecall[];
  readonly clips: readonly {
    readonly clip: string;
    readonly sceneSha256: string;
    readonly letPass: number;
    readonly thinned?: {
      readonly every: number;
      readonly both: number;
      readonly lost: readonly string[];
      readonly added: readonly string[];
    };
    readonly mismatches: readonly {
      readonly what: 'missed' | 'wrong';
      readonly kind: string;
      readonly text: string;
    }[];
  }[];
}

/** Near a change of the lamp the reader of the truth and the lamp itself are not sharp, frames. */
const LAMP_MARGIN_FRAMES = 3;

/**
 * Runs the pipeline on every clip that has a truth and compares. Nothing of a clip is known to the code beyond its scene.
 * @throws NgatuError FILE_UNREADABLE, TRUTH_INVALID, SCENE_INVALID, VIDEO_UNREADABLE
 */
export async function evaluateViolations(
  options: ViolationEvaluationOptions,
  signal: AbortSignal,
): Promise<{ metrics: ViolationMetrics; clips: readonly ClipEvaluation[] }> {
  const { thin } = options;
  if (thin !== undefined && thin < 2) {
    throw new NgatuError('USAGE', `Cannot look at every ${thin}. frame: 2 is the least that thins`);
  }
  const evaluations: ClipEvaluation[] = [];
  for (const clip of await loadViolationClips(options.dataDir, options.scenesDir)) {
    options.onClip?.(clip.name);
    evaluations.push(await evaluateClip(clip, options, signal));
  }
  return { metrics: summarize(evaluations, options.detector), clips: evaluations };
}

interface Run {
  readonly replay: ReplayResult;
  readonly times: ReadonlyMap<number, number>;
  readonly readings: ReadonlyMap<string, ReadonlyMap<number, string>>;
}

async function runClip(
  clip: ViolationClip,
  { detector, lampNet, occupantNet }: ViolationEvaluationOptions,
  everyNth: number,
  signal: AbortSignal,
): Promise<Run> {
  const times = new Map<number, number>();
  const readings = new Map<string, Map<number, string>>();
  const replay = await runReplay(
    {
      video: clip.video,
      scene: clip.scene.scene,
      sceneSha256: clip.scene.sha256,
      detector,
      lampNet,
      occupantNet,
      startMs: 0,
      site: 'evaluation',
      node: 'evaluation',
      everyNth,
      onFrame: ({ frame, signals }) => {
        times.set(frame.index, frame.mediaTimeMs);
        for (const [name, view] of signals) {
          const states = readings.get(name) ?? new Map<number, string>();
          states.set(frame.index, view.state);
          readings.set(name, states);
        }
      },
    },
    signal,
  );
  return { replay, times, readings };
}

async function evaluateClip(
  clip: ViolationClip,
  options: ViolationEvaluationOptions,
  signal: AbortSignal,
): Promise<ClipEvaluation> {
  const { thin } = options;
  const { replay, times, readings } = await runClip(clip, options, 1, signal);
  const timeOf = (frame: number): number => times.get(frame) ?? interpolate(times, frame);
  const claims = listClaims(replay);
  const evaluation = {
    clip: clip.name,
    sceneSha256: clip.scene.sha256,
    outcomes: listKinds(clip, claims).map((kind) => matchViolations(kind, claims, clip.truth, timeOf)),
    lamps: [...readings.values()].slice(0, 1).flatMap((states) => measureLamps(clip.truth, states, replay)),
    letPass: replay.events.filter(({ letPass }) => letPass !== undefined).map(toClaim),
    replay,
  };
  if (thin === undefined) return evaluation;
  const thinned = await runClip(clip, options, thin, signal);
  return { ...evaluation, thinned: compareRuns(claims, listClaims(thinned.replay), thin) };
}

function listClaims(replay: ReplayResult): Claim[] {
  return replay.events.filter(({ letPass }) => letPass === undefined).map(toClaim);
}

/** The kinds that the truth is complete for; where it does not say so, all that it, the scene or a claim names. */
function listKinds({ truth, scene }: ViolationClip, claims: readonly Claim[]): string[] {
  const expected = listTruthEvents(truth).map(({ kind }) => kind);
  if (truth.kinds !== undefined) return [...new Set([...truth.kinds, ...expected])];
  const ruled = scene.scene.rules.flatMap(({ kind }) => {
    if (kind === 'LINE_COUNT' || kind === 'TRAFFIC') return [];
    return [kind === 'LANE_RESERVED' || kind === 'LANE_TURN' ? 'LANE' : kind];
  });
  return [...new Set([...expected, ...ruled, ...claims.map(({ kind }) => kind)])];
}

function toClaim(event: ReplayEvent): Claim {
  const { width, height } = event.frame;
  const [, y1, , y2] = event.subject.box;
  return {
    kind: event.kind,
    timeMs: event.frame.mediaTimeMs,
    frameIndex: event.frameIndex,
    groundPoint: [event.subject.groundPoint[0] * width, event.subject.groundPoint[1] * height],
    boxHeight: (y2 - y1) * height,
    text: event.explanation.en,
  };
}

function interpolate(times: ReadonlyMap<number, number>, frame: number): number {
  let before: [number, number] | undefined;
  for (const [index, timeMs] of times) {
    if (index > frame) {
      if (before === undefined) return timeMs;
      const share = (frame - before[0]) / (index - before[0]);
      return before[1] + share * (timeMs - before[1]);
    }
    before = [index, timeMs];
  }
  return before?.[1] ?? 0;
}

function measureLamps(
  truth: ViolationTruth,
  states: ReadonlyMap<number, string>,
  { summary }: ReplayResult,
): LampRecall[] {
  const lastFrame = (truth.frames ?? summary.framesDecoded) - 1;
  return (['red', 'amber', 'green'] as const).flatMap((state) => {
    let hits = 0;
    let total = 0;
    for (const [from, to] of truth.light?.[state] ?? []) {
      const first = from === 0 ? from : from + LAMP_MARGIN_FRAMES;
      const last = to >= lastFrame ? to : to - LAMP_MARGIN_FRAMES;
      for (let frame = first; frame <= last; frame++) {
        const read = states.get(frame);
        if (read === undefined) continue;
        total += 1;
        if (read === state) hits += 1;
      }
    }
    return total === 0 ? [] : [{ state, recall: computeProportion(hits, total) }];
  });
}

function summarize(clips: readonly ClipEvaluation[], detector: Detector): ViolationMetrics {
  const named = new Set(clips.flatMap((clip) => clip.outcomes.map(({ kind }) => kind)));
  const kinds = [...named].sort().map((kind) => {
    const outcomes = clips.flatMap((clip) => clip.outcomes.filter((outcome) => outcome.kind === kind));
    const matched = outcomes.flatMap((outcome) => outcome.matched);
    const wrong = outcomes.reduce((sum, outcome) => sum + outcome.wrong.length, 0);
    const missed = outcomes.reduce((sum, outcome) => sum + outcome.missed.length, 0);
    const delays = matched.map(({ delayMs }) => delayMs).sort((a, b) => a - b);
    const medianDelayMs = delays[Math.floor(delays.length / 2)];
    return {
      kind,
      precision: computeProportion(matched.length, matched.length + wrong),
      recall: computeProportion(matched.length, matched.length + missed),
      ignored: outcomes.reduce((sum, outcome) => sum + outcome.ignored.length, 0),
      ...(medianDelayMs === undefined ? {} : { medianDelayMs: Math.round(medianDelayMs) }),
    };
  });
  const states = [...new Set(clips.flatMap((clip) => clip.lamps.map((lamp) => lamp.state)))];
  const lamps = states.map((state) => {
    const all = clips.flatMap((clip) => clip.lamps.filter((lamp) => lamp.state === state));
    const sum = (pick: (p: Proportion) => number): number =>
      all.reduce((total, { recall }) => total + pick(recall), 0);
    return {
      state,
      recall: computeProportion(
        sum((p) => p.hits),
        sum((p) => p.total),
      ),
    };
  });
  return { model: detector.model, kinds, lamps, clips: clips.map(listMismatches) };
}

function listMismatches(evaluation: ClipEvaluation): ViolationMetrics['clips'][number] {
  const { clip, sceneSha256, outcomes, letPass, thinned } = evaluation;
  const tell = (claim: Claim): string => `${claim.kind} frame ${claim.frameIndex}: ${claim.text}`;
  const mismatches = outcomes.flatMap(({ kind, missed, wrong }) => [
    ...missed.map((event) => ({ what: 'missed' as const, kind, text: describeMissed(event, letPass) })),
    ...wrong.map((claim) => ({
      what: 'wrong' as const,
      kind,
      text: `frame ${claim.frameIndex}: ${claim.text}`,
    })),
  ]);
  const compared =
    thinned === undefined
      ? {}
      : {
          thinned: {
            every: thinned.every,
            both: thinned.both,
            lost: thinned.lost.map(tell),
            added: thinned.added.map(tell),
          },
        };
  return { clip, sceneSha256, letPass: letPass.length, ...compared, mismatches };
}

/** With what the pipeline did say about it, where it let the road user pass. */
function describeMissed(event: TruthEvent, letPass: readonly Claim[]): string {
  const where = event.x === undefined || event.y === undefined ? '' : ` at (${event.x}, ${event.y})`;
  const when = event.frame === undefined ? `frames ${event.frame_range?.join('–')}` : `frame ${event.frame}`;
  const near = letPass.find(
    (claim) =>
      claim.kind === event.kind && Math.abs(claim.frameIndex - (event.frame ?? claim.frameIndex)) <= 15,
  );
  const reason = near === undefined ? '' : `; let pass in frame ${near.frameIndex}: ${near.text}`;
  return `${event.id ?? 'event'} ${when}${where}${reason}`;
}

/** The table that `ngatu eval violations` prints. */
export function formatViolationTable(metrics: ViolationMetrics): string {
  const lines = [
    'kind              precision                    recall                       median delay  left open',
  ];
  for (const { kind, precision, recall, medianDelayMs, ignored } of metrics.kinds) {
    const delay = medianDelayMs === undefined ? '–' : `${medianDelayMs} ms`;
    lines.push(
      `${kind.padEnd(18)}${formatProportion(precision).padEnd(29)}${formatProportion(recall).padEnd(29)}${delay.padEnd(14)}${ignored}`,
    );
  }
  for (const { state, recall } of metrics.lamps)
    lines.push(`lamp ${state.padEnd(13)}${''.padEnd(29)}${formatProportion(recall)}`);
  for (const { clip, letPass, thinned, mismatches } of metrics.clips) {
    for (const { what, kind, text } of mismatches) lines.push(`${clip}: ${what} ${kind} ${text}`);
    if (letPass > 0) lines.push(`${clip}: ${letPass} let pass`);
    if (thinned === undefined) continue;
    const { every, both, lost, added } = thinned;
    lines.push(
      `${clip}: every ${every}. frame: ${both} claims the same, ${lost.length} lost, ${added.length} added`,
    );
    for (const text of lost) lines.push(`${clip}: lost when thinned ${text}`);
    for (const text of added) lines.push(`${clip}: added when thinned ${text}`);
  }
  return lines.join('\n');
}
