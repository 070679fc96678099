import { NgatuError, parseWithSchema, Scene } from '@ngatu/contract';
import { readPictureSize } from '../camera/picture-size.ts';
import { openVideoSession } from '../camera/video-session.ts';
import type { Detection, Detector } from '../detect/detection.ts';
import type { Frame } from '../frame/frame.ts';
import { computeGroundPoint } from '../geometry/box.ts';
import { Background, type StillPicture } from '../proposal/background.ts';
import { type CloseUpCandidate, findCloseUp } from '../proposal/close-up-search.ts';
import { type Flow, findFlows } from '../proposal/flow-search.ts';
import { type LampCandidate, LampSearch } from '../proposal/lamp-search.ts';
import { type LookalikeCandidate, LookalikeSearch } from '../proposal/lookalike-search.ts';
import { findStopLines, type StopLineCandidate } from '../proposal/stop-line-search.ts';
import type { Trajectory } from '../proposal/trajectory.ts';
import { fuseRiders } from '../track/rider-fusion.ts';
import { RoadAnalysis } from './road-analysis.ts';

export interface SceneSurveyOptions {
  readonly video: string;
  readonly detector: Detector;
  /** Of the video at most this much is looked at, ms. */
  readonly maxDurationMs: number;
  /** The picture is scaled down to this width where it is wider, px. */
  readonly maxWidth: number;
  readonly maxFps: number;
  readonly onProgress?: (mediaTimeMs: number) => void;
}

/** What a video shows of its place. All coordinates in source pixels. */
export interface SceneSurvey {
  readonly picture: { readonly width: number; readonly height: number };
  /** The picture without what moves. */
  readonly background: StillPicture;
  readonly durationMs: number;
  readonly roadUsers: number;
  /** Ways that vehicles take, the busiest first, each with what may be its stop line. */
  readonly flows: readonly (Flow & { readonly stopLines: readonly StopLineCandidate[] })[];
  readonly lamps: readonly LampCandidate[];
  /** Where a closer look would find more; absent where none would. */
  readonly closeUp?: CloseUpCandidate;
  /** What is taken for a person and never moves, the surest first. */
  readonly lookalikes: readonly LookalikeCandidate[];
}

/** Shorter tracks tell no way. */
const MIN_SIGHTS = 5;

/**
 * Looks at a video of a new camera: which ways traffic takes, where it stops, what shines like a signal.
 * @throws NgatuError VIDEO_UNREADABLE, SETUP_PACKAGE_MISSING, MODEL_INVALID; the signal's reason where it aborts
 */
export async function surveyScene(options: SceneSurveyOptions, signal: AbortSignal): Promise<SceneSurvey> {
  const picture = await readPictureSize(options.video, signal);
  const session = openVideoSession(
    {
      session: 'survey',
      input: { kind: 'file', path: options.video, startMs: 0 },
      picture,
      analysis: { maxWidth: options.maxWidth, maxFps: options.maxFps },
      lamps: [],
      clock: () => 0,
    },
    signal,
  );
  const scene = parseWithSchema(
    Scene,
    { schemaVersion: 1, name: 'survey', picture },
    { code: 'SCENE_INVALID', what: `the picture of ${options.video}` },
  );
  const gathering = new Gathering(new RoadAnalysis(scene));
  try {
    for await (const frame of session.frames) {
      gathering.add(frame, await options.detector.detect(frame));
      options.onProgress?.(frame.mediaTimeMs);
      if (frame.mediaTimeMs >= options.maxDurationMs) break;
    }
  } finally {
    await session.stop();
  }
  signal.throwIfAborted();
  const end = await session.ended;
  if (end.reason === 'failed') throw end.error;
  return gathering.finish(picture, options.video);
}

class Gathering {
  readonly #road: RoadAnalysis;
  readonly #background = new Background();
  readonly #lamps = new LampSearch();
  readonly #lookalikes = new LookalikeSearch();
  readonly #trajectories = new Map<
    number,
    { label: Trajectory['label']; sights: Trajectory['sights'][number][] }
  >();
  #lastMs = 0;

  constructor(road: RoadAnalysis) {
    this.#road = road;
  }

  add(frame: Frame, detections: readonly Detection[]): void {
    const { index, mediaTimeMs, capturedAtMs } = frame;
    this.#lastMs = mediaTimeMs;
    this.#background.add(
      frame,
      detections.map(({ box }) => box),
    );
    this.#lamps.add(frame);
    this.#lookalikes.add(mediaTimeMs, detections);
    const { tracks } = this.#road.update(
      { index, mediaTimeMs, capturedAtMs },
      fuseRiders(detections),
      () => undefined,
    );
    for (const { trackId, label, box, seen, groundSeen, state } of tracks) {
      if (!seen || !groundSeen || state !== 'confirmed') continue;
      const known = this.#trajectories.get(trackId) ?? { label, sights: [] };
      known.sights.push({ atMs: mediaTimeMs, ground: computeGroundPoint(box), height: box[3] - box[1] });
      this.#trajectories.set(trackId, { label, sights: known.sights });
    }
  }

  finish(picture: SceneSurvey['picture'], video: string): SceneSurvey {
    const background = this.#background.compute();
    if (background === undefined) {
      throw new NgatuError('VIDEO_UNREADABLE', `Cannot survey ${video}: it holds no picture`);
    }
    const trajectories = [...this.#trajectories.values()].filter(({ sights }) => sights.length >= MIN_SIGHTS);
    const vehicles = trajectories.filter(({ label }) => label !== 'person');
    const flows = findFlows(vehicles, picture).map((flow) => ({
      ...flow,
      stopLines: findStopLines(flow, background, vehicles),
    }));
    const closeUp = findCloseUp(
      trajectories.flatMap(({ sights }) => sights),
      picture,
      background.scale,
    );
    return {
      ...(closeUp === undefined ? {} : { closeUp }),
      picture,
      background,
      durationMs: this.#lastMs,
      roadUsers: trajectories.length,
      flows,
      lamps: this.#lamps.find(),
      lookalikes: this.#lookalikes.find(),
    };
  }
}
