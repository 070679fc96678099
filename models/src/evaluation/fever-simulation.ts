import { DEFAULT_BAND_K, DEFAULT_BLACKBODY_TOLERANCE_C, FeverGate, type GateOptics } from '@ngatu/edge';
import { type PlannedScene, planScene, SCENE_KINDS, takeThermalPictures } from '@ngatu/simulators';
import { computeMeanEstimate, type Estimate } from './fever-statistics.ts';
import { computeProportion, formatProportion, type Proportion } from './interval.ts';

/** Error of a reading that is asked of 95 % of them, °C. */
export const MAX_ERROR_C = 0.3;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** The simulated clock; nothing depends on the date. */
const BEGIN_MS = Date.UTC(2026, 0, 5, 8);
/** Faces of the smaller sensor have fewer pixels, which the gate's profile says. */
const MIN_FACE_PX = { full: 180, small: 90 } as const;

/** Conditions that are not of the scene but of the gate. */
const GATE_KINDS = ['warming-up', 'room-unknown'] as const;

export interface KindMetrics {
  readonly kind: string;
  /** Scenes that gave a reading: to be all within the protocol, none outside it. */
  readonly measured: Proportion;
  /** What the gate said where it gave none, with counts. */
  readonly refusals: Readonly<Record<string, number>>;
}

export interface FeverSimulationMetrics {
  readonly scenes: number;
  readonly accepted: Proportion;
  readonly refusedOutside: Proportion;
  /** Readings within `MAX_ERROR_C` of the truth. */
  readonly within: Proportion;
  /** Readings within their own stated uncertainty (k = 2). */
  readonly covered: Proportion;
  readonly bias?: Estimate;
  /** 95th percentile of the absolute error, °C. */
  readonly error95C?: number;
  readonly kinds: readonly KindMetrics[];
}

export interface FeverSimulationOptions {
  /** Scenes within the protocol; outside it a fifteenth of this of each kind. */
  readonly scenes: number;
  readonly seed: number;
  readonly sensors: readonly ('full' | 'small')[];
  readonly onKind?: (kind: string) => void;
}

interface SceneOutcome {
  readonly refusal?: string;
  readonly errorC?: number;
  readonly uncertaintyC?: number;
}

/** Runs the gate on simulated scenes with exact truth. */
export async function simulateFever(
  options: FeverSimulationOptions,
  signal: AbortSignal,
): Promise<FeverSimulationMetrics> {
  const perKind = Math.max(1, Math.round(options.scenes / 15));
  const kinds: KindMetrics[] = [];
  const protocol: SceneOutcome[] = [];
  for (const kind of [...SCENE_KINDS, ...GATE_KINDS]) {
    options.onKind?.(kind);
    const outcomes: SceneOutcome[] = [];
    for (let index = 0; index < (kind === 'protocol' ? options.scenes : perKind); index++) {
      signal.throwIfAborted();
      const size = options.sensors[index % options.sensors.length] ?? 'small';
      const isGateKind = kind === 'warming-up' || kind === 'room-unknown';
      const planned = planScene(options.seed + index, isGateKind ? 'protocol' : kind, size);
      outcomes.push(passGate(planned, isGateKind ? kind : undefined));
      // let timers and signals through between scenes
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (kind === 'protocol') protocol.push(...outcomes);
    kinds.push(summarizeKind(kind, outcomes));
  }
  return summarize(protocol, kinds);
}

/** The scene's frames before a gate that is warm and checked. */
function passGate(planned: PlannedScene, condition: (typeof GATE_KINDS)[number] | undefined): SceneOutcome {
  const { scene, blackbody, truth, sensor } = planned;
  const optics: GateOptics = {
    blackbody: {
      region: blackbody,
      setC: blackbody.setC,
      emissivity: 0.98,
      toleranceC: DEFAULT_BLACKBODY_TOLERANCE_C,
      accuracyC: 0.1,
    },
    distanceM: 1,
    minFaceWidthPx: MIN_FACE_PX[sensor],
    uniformityC: 0.15,
    band: DEFAULT_BAND_K,
  };
  const gate = new FeverGate({
    gate: 'simulated',
    optics,
    poweredOnMs: BEGIN_MS - (condition === 'warming-up' ? HOUR_MS / 6 : DAY_MS),
    checkedMs: BEGIN_MS - HOUR_MS,
    drawScreeningId: () => 'sc-0000000000000000',
  });
  const { ambientC, relativeHumidity } = scene.room;
  const room = { celsius: ambientC, relativeHumidity, atMs: BEGIN_MS };
  let said: string | undefined;
  for (const picture of takeThermalPictures(scene)) {
    const known = condition === 'room-unknown' ? undefined : room;
    const moment = gate.observe(picture, BEGIN_MS + picture.mediaTimeMs, { ambient: known });
    if (moment.result !== undefined) return compare(moment.result, truth.canthusC);
    said = moment.cue.text.en;
  }
  const late = condition === undefined ? gate.finish(BEGIN_MS + DAY_MS, room) : undefined;
  return late === undefined ? { refusal: said ?? 'nothing' } : compare(late, truth.canthusC);
}

type GateResult = NonNullable<ReturnType<FeverGate['finish']>>;

function compare(result: GateResult, truthC: number | undefined): SceneOutcome {
  if (result.outcome === 'refused') return { refusal: result.instruction.en };
  if (result.skinC === undefined || result.skinUncertaintyC === undefined || truthC === undefined)
    return { errorC: Number.POSITIVE_INFINITY, uncertaintyC: 0 };
  return { errorC: result.skinC - truthC, uncertaintyC: result.skinUncertaintyC };
}

function summarizeKind(kind: string, outcomes: readonly SceneOutcome[]): KindMetrics {
  const refusals: Record<string, number> = {};
  for (const { refusal } of outcomes)
    if (refusal !== undefined) refusals[refusal] = (refusals[refusal] ?? 0) + 1;
  const measured = outcomes.filter(({ refusal }) => refusal === undefined).length;
  return { kind, measured: computeProportion(measured, outcomes.length), refusals };
}

function summarize(protocol: readonly SceneOutcome[], kinds: readonly KindMetrics[]): FeverSimulationMetrics {
  const readings = protocol.flatMap(({ errorC, uncertaintyC }) =>
    errorC === undefined || uncertaintyC === undefined ? [] : [{ errorC, uncertaintyC }],
  );
  const errors = readings.map(({ errorC }) => Math.abs(errorC)).sort((a, b) => a - b);
  const bias = computeMeanEstimate(readings.map(({ errorC }) => errorC));
  const error95C = errors[Math.ceil(0.95 * errors.length) - 1];
  const outside = kinds.filter(({ kind }) => kind !== 'protocol').map(({ measured }) => measured);
  const asked = outside.reduce((sum, { total }) => sum + total, 0);
  const measuredOutside = outside.reduce((sum, { hits }) => sum + hits, 0);
  return {
    scenes: protocol.length + asked,
    accepted: computeProportion(readings.length, protocol.length),
    refusedOutside: computeProportion(asked - measuredOutside, asked),
    within: computeProportion(errors.filter((error) => error <= MAX_ERROR_C).length, errors.length),
    covered: computeProportion(
      readings.filter(({ errorC, uncertaintyC }) => Math.abs(errorC) <= uncertaintyC).length,
      readings.length,
    ),
    kinds,
    ...(bias === undefined ? {} : { bias }),
    ...(error95C === undefined ? {} : { error95C }),
  };
}

/** The table that `ngatu eval fever --simulator` prints. */
export function formatFeverSimulation(metrics: FeverSimulationMetrics): string {
  const { bias } = metrics;
  return [
    `${metrics.scenes} simulated scenes with exact truth`,
    `  accepted within the protocol   ${formatProportion(metrics.accepted)}`,
    `  refused outside it             ${formatProportion(metrics.refusedOutside)}`,
    `  error ≤ ${MAX_ERROR_C} °C                  ${formatProportion(metrics.within)}`,
    `  95 % of errors are within      ${metrics.error95C?.toFixed(3) ?? '–'} °C`,
    `  bias                           ${bias === undefined ? '–' : `${bias.value.toFixed(3)} [${bias.low.toFixed(3)} … ${bias.high.toFixed(3)}]`} °C`,
    `  within stated k = 2            ${formatProportion(metrics.covered)}`,
    '',
    'scene                measured  what the gate said where it gave no reading',
    ...metrics.kinds.map(({ kind, measured, refusals }) => {
      const said = Object.entries(refusals)
        .sort((a, b) => b[1] - a[1])
        .map(([text, count]) => `${count} × ${text}`)
        .join('; ');
      return `  ${kind.padEnd(20)} ${`${measured.hits}/${measured.total}`.padEnd(8)} ${said}`;
    }),
  ].join('\n');
}
