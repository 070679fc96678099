import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { errorMessage, NgatuError } from '@ngatu/contract';
import type { Detector, ReplayEvent, ReplayResult } from '@ngatu/edge';
import { runReplay } from '@ngatu/edge';
import { loadScene, type SceneFile } from '@ngatu/firmware-config';
import { computeProportion, formatProportion, type Proportion } from './interval.ts';
import { type Claim, type KindOutcome, matchViolations } from './violation-match.ts';
import { loadViolationTruth, type ViolationTruth } from './violation-truth.ts';

export interface ViolationEvaluationOptions {
  /** Folder with `NAME.mp4` and `NAME.truth.json`; `NAME.scene.yaml` there or in `scenesDir`. */
  readonly dataDir: string;
  /** Scenes for clips that bring none; matched by `video` names that begin with the scene's name. */
  readonly scenesDir: string;
  readonly detector: Detector;
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
    readonly mismatches: readonly {
      readonly what: 'missed' | 'wrong';
      readonly kind: string;
      readonly text: string;
    }[];
  }[];
}

const KINDS = ['RED_LIGHT', 'STOP_LINE'] as const;
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
  const names = await listClips(options.dataDir);
  const clips: ClipEvaluation[] = [];
  for (const name of names) {
    options.onClip?.(name);
    clips.push(await evaluateClip(name, options, signal));
  }
  return { metrics: summarize(clips, options.detector), clips };
}

async function listClips(dataDir: string): Promise<string[]> {
  let files: string[];
  try {
    files = await readdir(dataDir);
  } catch (cause) {
    throw new NgatuError('FILE_UNREADABLE', `Cannot read folder ${dataDir}: ${errorMessage(cause)}`, {
      cause,
    });
  }
  const names = files
    .filter((file) => file.endsWith('.truth.json'))
    .map((file) => basename(file, '.truth.json'));
  if (names.length === 0) {
    throw new NgatuError('FILE_UNREADABLE', `Cannot evaluate ${dataDir}: no *.truth.json in it`);
  }
  return names.sort();
}

async function evaluateClip(
  clip: string,
  options: ViolationEvaluationOptions,
  signal: AbortSignal,
): Promise<ClipEvaluation> {
  const truth = await loadViolationTruth(join(options.dataDir, `${clip}.truth.json`));
  const scene = await findScene(clip, options);
  const times = new Map<number, number>();
  const readings = new Map<string, Map<number, string>>();
  const replay = await runReplay(
    {
      video: join(options.dataDir, truth.video),
      scene: scene.scene,
      sceneSha256: scene.sha256,
      detector: options.detector,
      startMs: 0,
      site: 'evaluation',
      node: 'evaluation',
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
  const timeOf = (frame: number): number => times.get(frame) ?? interpolate(times, frame);
  const claims = replay.events.map((event) => toClaim(event));
  return {
    clip,
    sceneSha256: scene.sha256,
    outcomes: KINDS.map((kind) => matchViolations(kind, claims, truth, timeOf)),
    lamps: [...readings.values()].slice(0, 1).flatMap((states) => measureLamps(truth, states)),
    replay,
  };
}

/** The clip's own scene, else the shipped one whose name the clip's name begins with. */
async function findScene(
  clip: string,
  { dataDir, scenesDir }: ViolationEvaluationOptions,
): Promise<SceneFile> {
  const own = (await readdir(dataDir)).find((file) => file === `${clip}.scene.yaml`);
  if (own !== undefined) return loadScene(join(dataDir, own));
  const shipped = (await readdir(scenesDir)).find(
    (file) => file.endsWith('.scene.yaml') && clip.startsWith(basename(file, '.scene.yaml')),
  );
  if (shipped === undefined) {
    throw new NgatuError(
      'FILE_UNREADABLE',
      `Cannot evaluate clip "${clip}": ${clip}.scene.yaml is not in ${dataDir}`,
    );
  }
  return loadScene(join(scenesDir, shipped));
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

function measureLamps(truth: ViolationTruth, states: ReadonlyMap<number, string>): LampRecall[] {
  return (['red', 'amber', 'green'] as const).flatMap((state) => {
    let hits = 0;
    let total = 0;
    for (const [from, to] of truth.light?.[state] ?? []) {
      const first = from === 0 ? from : from + LAMP_MARGIN_FRAMES;
      const last = to >= truth.frames - 1 ? to : to - LAMP_MARGIN_FRAMES;
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
  const kinds = KINDS.map((kind) => {
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

function listMismatches({ clip, sceneSha256, outcomes }: ClipEvaluation): ViolationMetrics['clips'][number] {
  const mismatches = outcomes.flatMap(({ kind, missed, wrong }) => [
    ...missed.map((event) => ({
      what: 'missed' as const,
      kind,
      text: `${event.id} at frame ${event.frame}`,
    })),
    ...wrong.map((claim) => ({
      what: 'wrong' as const,
      kind,
      text: `frame ${claim.frameIndex}: ${claim.text}`,
    })),
  ]);
  return { clip, sceneSha256, mismatches };
}

/** The table that `ngatu eval violations` prints. */
export function formatViolationTable(metrics: ViolationMetrics): string {
  const lines = [
    'kind         precision                    recall                       median delay  left open',
  ];
  for (const { kind, precision, recall, medianDelayMs, ignored } of metrics.kinds) {
    const delay = medianDelayMs === undefined ? '–' : `${medianDelayMs} ms`;
    lines.push(
      `${kind.padEnd(13)}${formatProportion(precision).padEnd(29)}${formatProportion(recall).padEnd(29)}${delay.padEnd(14)}${ignored}`,
    );
  }
  for (const { state, recall } of metrics.lamps)
    lines.push(`lamp ${state.padEnd(8)}${''.padEnd(29)}${formatProportion(recall)}`);
  for (const { clip, mismatches } of metrics.clips) {
    for (const { what, kind, text } of mismatches) lines.push(`${clip}: ${what} ${kind} ${text}`);
  }
  return lines.join('\n');
}
