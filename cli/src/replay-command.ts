import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { asStorageError } from '@ngatu/contract';
import { limitScene, renderAnnotatedVideo, runReplay, writeReplay } from '@ngatu/edge';
import { loadScene } from '@ngatu/firmware-config';
import { Command, InvalidArgumentError } from 'commander';
import { openNamedDetector } from './model-option.ts';
import { openFrameNets } from './small-net-option.ts';
import { watchStopSignals } from './stop-signal.ts';

interface ReplayCommandOptions {
  readonly video: string;
  readonly scene: string;
  readonly out: string;
  readonly start: number;
  readonly annotate?: string;
  readonly model?: string;
}

/** `ngatu replay`. */
export function buildCommand(): Command {
  return new Command('replay')
    .description(
      'Run the pipeline of the edge agent on a video file, as fast as it goes, on the media clock.\n' +
        'DIR gets events.jsonl (one event a line), tracks.jsonl (one analysed frame a line) and summary.json;\n' +
        'two runs give the same bytes.',
    )
    .requiredOption('--video <file>', 'video file')
    .requiredOption('--scene <file>', 'scene file (docs/scenes.md)')
    .requiredOption('--out <dir>', 'folder for the results')
    .option('--start <time>', 'instant of the first picture, RFC 3339 or ms since 1970', readInstant, 0)
    .option('--annotate <file>', 'also draw boxes, ids, zones, lamp and fired rules into an MP4')
    .option('--model <name>', 'detector of the model registry; by default that of the product')
    .action(replay);
}

async function replay(options: ReplayCommandOptions): Promise<void> {
  const stop = watchStopSignals(() => undefined);
  try {
    const { scene, sha256 } = await loadScene(options.scene);
    const { detector, model } = await openNamedDetector(options.model, stop.signal);
    const nets = await openFrameNets(stop.signal, scene);
    const progress = new ReplayProgress();
    try {
      const result = await runReplay(
        {
          video: options.video,
          scene: limitScene(scene, model),
          sceneSha256: sha256,
          detector,
          lampNet: nets.lampNet,
          occupantNet: nets.occupantNet,
          startMs: options.start,
          site: 'replay',
          node: 'replay',
          onProgress: (frames) => progress.show(frames),
        },
        stop.signal,
      );
      progress.end();
      await writeReplay(result, options.out);
      const { framesAnalysed, mediaDurationMs } = result.summary;
      console.log(
        `${framesAnalysed} frames analysed (${(mediaDurationMs / 1000).toFixed(1)} s of video), ` +
          `${result.events.length} events → ${resolve(options.out)}`,
      );
      for (const event of result.events) {
        console.log(
          `  frame ${String(event.frameIndex).padStart(6)}  ${event.kind.padEnd(14)} ${event.explanation.en}`,
        );
      }
      if (options.annotate !== undefined)
        await annotate(options.annotate, options.video, result.annotation, stop.signal);
    } finally {
      await nets.close();
      await detector.close();
    }
  } finally {
    stop.dispose();
  }
}

async function annotate(
  file: string,
  video: string,
  script: Parameters<typeof renderAnnotatedVideo>[0]['script'],
  signal: AbortSignal,
): Promise<void> {
  try {
    await mkdir(dirname(resolve(file)), { recursive: true });
  } catch (error) {
    throw asStorageError(error, `make the folder of ${file}`);
  }
  await renderAnnotatedVideo({ video, script, outFile: file }, signal);
  console.log(`annotated video → ${resolve(file)}`);
}

function readInstant(text: string): number {
  const ms = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  if (!Number.isFinite(ms) || ms < 0 || ms > 8.64e15) {
    throw new InvalidArgumentError(
      'Expected a time such as 2026-01-31T08:00:00Z, or milliseconds since 1970.',
    );
  }
  return ms;
}

/** A counter on a terminal, nothing elsewhere. */
class ReplayProgress {
  #shownAt = 0;

  show(frames: number): void {
    if (!process.stderr.isTTY || performance.now() - this.#shownAt < 250) return;
    this.#shownAt = performance.now();
    process.stderr.write(`\r${frames} frames`);
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  }
}
