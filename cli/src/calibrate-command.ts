import { readFile, rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { asStorageError, type Calibration, errorMessage, NgatuError, type Scene } from '@ngatu/contract';
import { computeSpeedExpectations, drawCalibration, GroundPlane } from '@ngatu/edge';
import {
  loadCalibrationPoints,
  loadScene,
  loadSceneCalibration,
  replaceCalibration,
} from '@ngatu/firmware-config';
import { Command } from 'commander';
import { writeOutput } from './output-file.ts';
import { readRoadPicture } from './road-picture.ts';
import { watchStopSignals } from './stop-signal.ts';

interface CalibrateOptions {
  readonly scene: string;
  readonly pairs?: string;
  readonly out?: string;
  readonly still?: string;
  readonly annotated?: string;
}

/** Places between the nearest and the farthest mark for which the error of a speed is told. */
const STEPS = 5;
const TRAVEL_M = 15;

/** `ngatu calibrate`. */
export function buildCommand(): Command {
  return new Command('calibrate')
    .description(
      'Lay the picture of a camera on the road: fits the marked points or known lengths, tells how well they agree and\n' +
        'what error of a speed to expect where, and writes the calibration into the scene file (docs/calibration.md).',
    )
    .requiredOption('--scene <file>', 'scene file')
    .option(
      '--pairs <file>',
      'points: CSV (image x, image y, ground x, ground y) or YAML; by default those in the scene',
    )
    .option('--out <file>', 'scene file to write; by default the one that is read')
    .option('--still <video>', 'video of the camera, for the annotated still')
    .option('--annotated <file>', 'write a still without what moves, with a metre grid on the road (PNG)')
    .action(calibrate);
}

async function calibrate(options: CalibrateOptions): Promise<void> {
  if ((options.still === undefined) !== (options.annotated === undefined)) {
    throw new NgatuError('USAGE', 'Cannot draw: --still and --annotated belong together');
  }
  const points = await (options.pairs === undefined
    ? loadSceneCalibration(options.scene)
    : loadCalibrationPoints(options.pairs));
  const calibration: Calibration = { ...points, calibratedAt: new Date().toISOString() };
  const out = options.out ?? options.scene;
  const candidate = `${out}.new`;
  await writeOutput(candidate, replaceCalibration(await readText(options.scene), calibration));
  try {
    const { scene } = await loadScene(candidate);
    const plane = GroundPlane.fromCalibration(calibration, scene.picture);
    console.log(describe(plane, calibration, scene));
    if (options.still !== undefined && options.annotated !== undefined) {
      await drawStill({ video: options.still, annotated: options.annotated }, { plane, calibration, scene });
    }
    await rename(candidate, out).catch((error: unknown) => {
      throw asStorageError(error, `write ${out}`);
    });
    console.log(`scene           → ${resolve(out)}`);
  } finally {
    await rm(candidate, { force: true });
  }
}

function describe(plane: GroundPlane, calibration: Calibration, scene: Scene): string {
  const { chiSquare, degreesOfFreedom } = plane.fit;
  const marks = [
    ...calibration.pairs.map(({ image }) => image),
    ...calibration.lengths.flatMap(({ from, to }) => [from, to]),
  ];
  const fps = Math.min(25, scene.analysis.maxFps);
  const { depressionDeg } = scene.view;
  const places = computeSpeedExpectations(plane, marks, {
    steps: STEPS,
    travelM: TRAVEL_M,
    fps,
    depressionDeg,
  });
  const agreement =
    degreesOfFreedom === 0
      ? 'nothing to spare: the points cannot contradict each other, mark more of them'
      : `χ² ${chiSquare.toFixed(1)} with ${degreesOfFreedom} degrees of freedom`;
  return [
    `fitted to ${plane.method}; residual ${plane.residualPx.toFixed(2)} px; ${agreement}`,
    ...(plane.method === 'lengths' ? [ASSUMPTIONS] : []),
    ...plane.residuals.map(
      ({ imagePx, groundM }, index) =>
        `  pair ${String(index + 1).padStart(2)}  ${imagePx.toFixed(1).padStart(6)} px  ${groundM.toFixed(2).padStart(6)} m`,
    ),
    `from near to far, for a car at 50 km/h over ${TRAVEL_M} m at ${fps} fps:`,
    '  picture        road, m          across, m/px  along, m/px  speed',
    ...places.map(({ image, ground, minMetresPerPx, maxMetresPerPx, boundKmh }) =>
      [
        `  ${pair(image, 0).padEnd(14)}`,
        pair(ground, 1).padEnd(16),
        minMetresPerPx.toFixed(3).padStart(12),
        maxMetresPerPx.toFixed(3).padStart(12),
        boundKmh === undefined ? '  –' : `  ± ${boundKmh.toFixed(1)} km/h`,
      ].join(' '),
    ),
  ].join('\n');
}

const ASSUMPTIONS =
  'assumed: square pixels, the optical axis in the middle of the picture, no distortion, a flat road, a camera that hangs level';

async function drawStill(
  { video, annotated }: { video: string; annotated: string },
  { plane, calibration, scene }: { plane: GroundPlane; calibration: Calibration; scene: Scene },
): Promise<void> {
  const stop = watchStopSignals(() => undefined);
  try {
    const background = await readRoadPicture(video, scene, stop.signal);
    await writeOutput(annotated, await drawCalibration(background, { plane, calibration }));
    console.log(`annotated still → ${resolve(annotated)}`);
  } finally {
    stop.dispose();
  }
}

function pair([x, y]: readonly [number, number], digits: number): string {
  return `${x.toFixed(digits)}, ${y.toFixed(digits)}`;
}

async function readText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw new NgatuError('FILE_UNREADABLE', `Cannot read ${file}: ${errorMessage(cause)}`, { cause });
  });
}
