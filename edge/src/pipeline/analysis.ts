import type { Measurement, Scene } from '@ngatu/contract';
import type { Detection, Detector } from '../detect/detection.ts';
import type { Frame } from '../frame/frame.ts';
import type { FrameMark, RuleMemory, SignalView } from '../rules/rule.ts';
import { type LampReading, readLamp } from '../signal/lamp-reader.ts';
import { SignalTimeline } from '../signal/signal-timeline.ts';
import { type DeclaredLookup, RoadAnalysis, type RoadFinding } from './road-analysis.ts';

/** What was found in one frame. */
export interface AnalysedFrame extends RoadFinding {
  readonly frame: FrameMark;
  readonly detections: readonly Detection[];
  /** What each signal head showed in this very picture. */
  readonly readings: ReadonlyMap<string, LampReading>;
  /** What each signal is believed to show. */
  readonly signals: ReadonlyMap<string, SignalView>;
}

/**
 * Frame → detections → tracks → rules for one session of one camera. The live agent and the replay run this same
 * object; apart from the detector it is pure.
 */
export class Analysis {
  readonly #scene: Scene;
  readonly #detector: Detector;
  readonly #directivesAt: DeclaredLookup;
  readonly #road: RoadAnalysis;
  readonly #timelines = new Map<string, SignalTimeline>();

  constructor(scene: Scene, detector: Detector, directivesAt: DeclaredLookup = () => []) {
    this.#scene = scene;
    this.#detector = detector;
    this.#directivesAt = directivesAt;
    this.#road = new RoadAnalysis(scene);
    for (const signal of scene.signals) this.#timelines.set(signal.name, new SignalTimeline());
  }

  /** What happened longer ago than this is decided: no event about it comes any more, ms. */
  get horizonMs(): number {
    return this.#road.horizonMs;
  }

  /** The figures of traffic windows that are still open; call once, when the stream has ended. */
  finish(): readonly Measurement[] {
    return this.#road.finish();
  }

  /** What must outlive this session; give it to `recall` of the next one. */
  remember(): RuleMemory {
    return this.#road.remember();
  }

  recall(memory: RuleMemory): void {
    this.#road.recall(memory);
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
    const found = this.#road.update(
      frame,
      detections,
      (name, mediaTimeMs) => this.#signalAt(name, mediaTimeMs),
      this.#directivesAt,
    );
    const signals = new Map<string, SignalView>();
    for (const name of this.#timelines.keys()) {
      const view = this.#signalAt(name, frame.mediaTimeMs);
      if (view !== undefined) signals.set(name, view);
    }
    return { frame, detections, readings, signals, ...found };
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
