import { existsSync } from 'node:fs';
import { basename, extname, resolve } from 'node:path';
import { NgatuError } from '@ngatu/contract';
import { drawScene, type SceneSurvey, surveyScene } from '@ngatu/edge';
import { formatSceneProposal, loadScene } from '@ngatu/firmware-config';
import { Command, InvalidArgumentError } from 'commander';
import { openNamedDetector } from './model-option.ts';
import { writeOutput } from './output-file.ts';
import { readRoadPicture } from './road-picture.ts';
import { watchStopSignals } from './stop-signal.ts';

interface SceneInitOptions {
  readonly video: string;
  readonly out?: string;
  readonly still?: string;
  readonly seconds: number;
  readonly model?: string;
  readonly force?: boolean;
}

interface SceneShowOptions {
  readonly video: string;
  readonly scene: string;
  readonly still: string;
}

const MAX_WIDTH = 1280;
const MAX_FPS = 6;

/** `ngatu scene init` and `ngatu scene show`. */
export function buildCommand(): Command {
  const command = new Command('scene').description(
    'propose a scene for a new camera, and draw a scene over its picture',
  );
  command
    .command('init')
    .description(
      'Look at a video of a new camera and propose its scene: ways of traffic, stop lines, lamps, and the rules that follow.\n' +
        'Writes the scene file with what speaks for each part, and a still with everything drawn in to correct it by.',
    )
    .requiredOption(
      '--video <file>',
      'video of the camera: a few minutes with traffic and some changes of the lamp',
    )
    .option('--out <file>', 'scene file to write; by default NAME.scene.yaml after the video, here')
    .option('--still <file>', 'annotated still to write (PNG); by default beside the scene file')
    .option('--seconds <n>', 'look at this much of the video at most, s', readSeconds, 180)
    .option('--model <name>', 'detector of the model registry; by default that of the product')
    .option('--force', 'overwrite a scene file that is there')
    .action(initScene);
  command
    .command('show')
    .description('Draw a scene over the picture of a video, without what moves in it')
    .requiredOption('--video <file>', 'video of the camera')
    .requiredOption('--scene <file>', 'scene file')
    .requiredOption('--still <file>', 'annotated still to write (PNG)')
    .action(showScene);
  return command;
}

async function initScene(options: SceneInitOptions): Promise<void> {
  const name = toSlug(basename(options.video, extname(options.video)));
  const out = options.out ?? `${name}.scene.yaml`;
  const still = options.still ?? `${out.replace(/(\.scene)?\.ya?ml$/, '')}.scene.png`;
  if (existsSync(out) && options.force !== true) {
    throw new NgatuError('USAGE', `Cannot write ${out}: it is there already (--force overwrites it)`);
  }
  const stop = watchStopSignals(() => undefined);
  try {
    const { detector } = await openNamedDetector(options.model, stop.signal);
    try {
      const survey = await surveyScene(
        {
          ...{ video: options.video, detector, maxDurationMs: options.seconds * 1000 },
          ...{ maxWidth: MAX_WIDTH, maxFps: MAX_FPS, onProgress: showProgress },
        },
        stop.signal,
      );
      await writeOutput(out, formatSceneProposal(name, survey));
      const { scene } = await loadScene(out);
      // what may be no road user is not in the scene yet: a person looks at the still and decides
      const lookalikes = survey.lookalikes.map(({ box: [x1, y1, x2, y2] }) => ({
        box: [x1, y1, x2, y2] as [number, number, number, number],
      }));
      const shown = { ...scene, analysis: { ...scene.analysis, lookalikes } };
      await writeOutput(still, await drawScene(survey.background, shown));
      report(survey, out, still);
    } finally {
      await detector.close();
    }
  } finally {
    stop.dispose();
  }
}

async function showScene(options: SceneShowOptions): Promise<void> {
  const { scene } = await loadScene(options.scene);
  const stop = watchStopSignals(() => undefined);
  try {
    const background = await readRoadPicture(options.video, scene, stop.signal);
    await writeOutput(options.still, await drawScene(background, scene));
    console.log(`annotated still → ${resolve(options.still)}`);
  } finally {
    stop.dispose();
  }
}

function report(survey: SceneSurvey, out: string, still: string): void {
  const seconds = (survey.durationMs / 1000).toFixed(0);
  const lines = survey.flows.reduce((sum, flow) => sum + flow.stopLines.length, 0);
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  console.log(
    `${seconds} s looked at, ${survey.roadUsers} road users: ${survey.flows.length} ways, ${lines} candidates for stop lines, ` +
      `${survey.lamps.length} for lamps; ${survey.lookalikes.length} things that may be taken for people`,
  );
  console.log(`scene           → ${resolve(out)}`);
  console.log(`annotated still → ${resolve(still)}`);
  console.log(
    'Correct the scene by the still (docs/scenes.md), then look: ngatu scene show, ngatu replay --annotate',
  );
}

let shownAtMs = 0;

function showProgress(mediaTimeMs: number): void {
  if (!process.stderr.isTTY || performance.now() - shownAtMs < 250) return;
  shownAtMs = performance.now();
  process.stderr.write(`\r${(mediaTimeMs / 1000).toFixed(0)} s`);
}

function toSlug(text: string): string {
  return (
    text
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-+|-+$/g, '')
      .slice(0, 64) || 'camera'
  );
}

function readSeconds(text: string): number {
  const seconds = Number(text);
  if (!Number.isFinite(seconds) || seconds < 1)
    throw new InvalidArgumentError('Expected a number of seconds from 1.');
  return seconds;
}
