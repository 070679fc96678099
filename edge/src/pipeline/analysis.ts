import type { Scene } from '@ngatu/contract';
import type { Detection, Detector } from '../detect/detection.ts';
import type { Frame } from '../frame/frame.ts';
import type { LineCrossing } from '../rules/line-count.ts';
import type { FrameMark, RuleContext, RuleMatch, SignalView } from '../rules/rule.ts';
import { RuleSet } from '../rules/rule-set.ts';
import { TrackHistory } from '../rules/track-history.ts';
import { type LampReading, readLamp } from '../signal/lamp-reader.ts';
import { SignalTimeline } from '../signal/signal-timeline.ts';
import { fuseRiders } from '../track/rider-fusion.ts';
import type { Track } from '../track/track.ts';
import { Tracker } from '../track/tracker.ts';

/** What was found in one frame. */
export interface AnalysedFrame {
  readonly frame: FrameMark;
  readonly detections: readonly Detection[];
  /** Every living track, also tentative and lost ones. */
  readonly tracks: readonly Track[];
  /** What each signal head showed in this very picture. */
  readonly readings: ReadonlyMap<string, LampReading>;
  /** What each signal is believed to show. */
  readonly signals: ReadonlyMap<string, SignalView>;
  readonly matches: readonly RuleMatch[];
  readonly crossings: readonly LineCrossing[];
}

/**
 * Frame → detections → tracks → rules for one session of one camera. The live agent and the replay run this same
 * object; apart from the detector it is pure.
 */
export class Analysis {
  readonly #scene: Scene;
  readonly #detector: Detector;
  readonly #tracker = new Tracker();
  readonly #history = new TrackHistory();
  readonly #rules: RuleSet;
  readonly #timelines = new Map<string, SignalTimeline>();

  constructor(scene: Scene, detector: Detector) {
    this.#scene = scene;
    this.#detector = detector;
    this.#rules = new RuleSet(scene);
    for (const signal of scene.signals) this.#timelines.set(signal.name, new SignalTimeline());
  }

  /** What happened longer ago than this is decided: no event about it comes any more, ms. */
  get horizonMs(): number {
    return this.#rules.horizonMs;
  }

  /** Frames must come in order of presentation. @throws NgatuError MODEL_INVALID where the inference fails */
  async process(picture: Frame): Promise<AnalysedFrame> {
    const frame: FrameMark = {
      index: picture.index,
      mediaTimeMs: picture.mediaTimeMs,
      capturedAtMs: picture.capturedAtMs,
    };
    const readings = this.#readLamps(picture);
    const detections = await this.#detector.detect(picture);
    const tracks = this.#tracker.update(fuseRiders(detections), frame.mediaTimeMs);
    this.#history.add(frame, tracks);
    const context: RuleContext = {
      frame,
      pictureWidth: picture.sourceWidth,
      pictureHeight: picture.sourceHeight,
      tracks: tracks.filter((track) => track.state === 'confirmed' || track.state === 'lost'),
      history: this.#history,
      signalAt: (name, mediaTimeMs) => this.#signalAt(name, mediaTimeMs),
    };
    const { matches, crossings } = this.#rules.update(context);
    const signals = new Map<string, SignalView>();
    for (const name of this.#timelines.keys()) {
      const view = this.#signalAt(name, frame.mediaTimeMs);
      if (view !== undefined) signals.set(name, view);
    }
    return { frame, detections, tracks, readings, signals, matches, crossings };
  }

  #readLamps(picture: Frame): Map<string, LampReading> {
    const readings = new Map<string, LampReading>();
    for (const crop of picture.lamps) {
      const head = this.#scene.signals.find(({ name }) => name === crop.signal);
      if (head === undefined) continue;
      const reading = readLamp(crop, head.lenses);
      readings.set(head.name, reading);
      this.#timelines.get(head.name)?.add(reading, picture.mediaTimeMs);
    }
    return readings;
  }

  #signalAt(name: string, mediaTimeMs: number): SignalView | undefined {
    const timeline = this.#timelines.get(name);
    const phase = timeline?.phaseAt(mediaTimeMs);
    if (timeline === undefined || phase === undefined) return undefined;
    const { state, sinceMs, confidence } = phase;
    return { state, sinceMs, confidence, onsetSeen: timeline.isOnsetSeen(phase) };
  }
}
