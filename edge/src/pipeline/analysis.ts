import type { Measurement, Scene } from '@ngatu/contract';
import { CloseUpDetector } from '../detect/close-up.ts';
import type { Detection, Detector } from '../detect/detection.ts';
import { dropLookalikes } from '../detect/lookalike.ts';
import type { Frame } from '../frame/frame.ts';
import type { HelmetNet } from '../helmet/helmet-net.ts';
import type { OccupantNet } from '../occupant/occupant-net.ts';
import type { FrameMark, RuleMemory, SignalView } from '../rules/rule.ts';
import { agreeOnLamp } from '../signal/lamp-agreement.ts';
import type { LampNet } from '../signal/lamp-net.ts';
import { type LampReading, readLamp } from '../signal/lamp-reader.ts';
import { type ExternalSignal, SignalBoard, type SignalCheck } from '../signal/signal-board.ts';
import { fuseRiders } from '../track/rider-fusion.ts';
import type { RoadUser } from '../track/track.ts';
import { asksForRiders, countRiders, type OccupantLookup } from './rider-counts.ts';
import { lookAtHeads } from './rider-heads.ts';
import { type DeclaredLookup, type HeadLookup, RoadAnalysis, type RoadFinding } from './road-analysis.ts';

/** What was found in one frame. */
export interface AnalysedFrame extends RoadFinding {
  readonly frame: FrameMark;
  /** All that was found, with things that only look like road users: who has to be blurred is not left to a box in a file. */
  readonly detections: readonly Detection[];
  /** What each signal head showed in this very picture. */
  readonly readings: ReadonlyMap<string, LampReading>;
  /** What each signal is believed to show. */
  readonly signals: ReadonlyMap<string, SignalView>;
  /** How the sources stand to each other, of each signal that has more than its lamp. */
  readonly signalChecks: readonly SignalCheck[];
}

/** Networks that look at lamps, heads and two-wheelers: asked for with every picture, so that others may take their place. */
export interface FrameNets {
  /** Reads lamps beside their colours; the two must agree. Absent: the colours alone are read. The caller closes it. */
  readonly lampNet?: Pick<LampNet, 'read'> | undefined;
  /** Tells bare heads for rules NO_HELMET, which judge nothing where it is absent. The caller closes it. */
  readonly helmetNet?: Pick<HelmetNet, 'read'> | undefined;
  /** Counts who rides on two-wheelers for rules OVERLOADED, which count boxes of people where it is absent. The caller closes it. */
  readonly occupantNet?: Pick<OccupantNet, 'count'> | undefined;
}

/** What an analysis knows beside the pictures; the caller keeps the sources fed. */
export interface AnalysisContext extends FrameNets {
  readonly directivesAt?: DeclaredLookup;
  readonly signals?: readonly ExternalSignal[];
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
  readonly #board: SignalBoard;
  readonly #nets: FrameNets;
  readonly #needsHeads: boolean;
  readonly #needsCounts: boolean;

  constructor(scene: Scene, detector: Detector, context: AnalysisContext = {}) {
    const { directivesAt = () => [], signals = [] } = context;
    this.#scene = scene;
    this.#detector =
      scene.analysis.closeUps === undefined ? detector : new CloseUpDetector(detector, scene.analysis);
    this.#directivesAt = directivesAt;
    this.#road = new RoadAnalysis(scene);
    this.#board = new SignalBoard(scene.signals, signals);
    this.#nets = context;
    this.#needsHeads = scene.rules.some(({ kind }) => kind === 'NO_HELMET');
    this.#needsCounts = asksForRiders(scene);
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
    const readings = await this.#readLamps(picture);
    this.#board.addFrame(picture, readings);
    const detections = await this.#detector.detect(picture);
    const users = fuseRiders(dropLookalikes(detections, this.#scene.analysis.lookalikes));
    const found = this.#road.update(
      frame,
      users,
      (name, mediaTimeMs) => this.#board.signalAt(name, mediaTimeMs),
      this.#directivesAt,
      {
        heads: await this.#readHeads(picture, users),
        occupants: await this.#countRiders(picture, users),
      },
    );
    const signals = new Map<string, SignalView>();
    for (const { name } of this.#scene.signals) {
      const view = this.#board.signalAt(name, frame.mediaTimeMs);
      if (view !== undefined) signals.set(name, view);
    }
    return { frame, detections, readings, signals, signalChecks: this.#board.listChecks(), ...found };
  }

  async #readHeads(picture: Frame, users: readonly RoadUser[]): Promise<HeadLookup | undefined> {
    const { helmetNet } = this.#nets;
    return !this.#needsHeads || helmetNet === undefined
      ? undefined
      : await lookAtHeads(picture, users, helmetNet);
  }

  async #countRiders(picture: Frame, users: readonly RoadUser[]): Promise<OccupantLookup | undefined> {
    const { occupantNet } = this.#nets;
    return !this.#needsCounts || occupantNet === undefined
      ? undefined
      : await countRiders(picture, users, occupantNet);
  }

  async #readLamps(picture: Frame): Promise<Map<string, LampReading>> {
    const readings = new Map<string, LampReading>();
    for (const crop of picture.lamps) {
      const head = this.#scene.signals.find(({ name }) => name === crop.signal);
      if (head === undefined) continue;
      const colour = readLamp(crop, head.lenses);
      const net = this.#nets.lampNet;
      const reading =
        net === undefined ? colour : agreeOnLamp(colour, await net.read(crop, head.lenses), head.lenses);
      readings.set(head.name, reading);
    }
    return readings;
  }
}
