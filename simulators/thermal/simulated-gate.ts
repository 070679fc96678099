import { type GateVisit, planVisits, type VisitOptions } from './gate-visit.ts';
import { takeThermalPictures } from './scene-camera.ts';
import { type PlannedScene, planScene, planVisitors, type SceneKind, type SensorSize } from './scene-plan.ts';
import type { SimulatedThermalFrame, ThermalScene } from './thermal-scene.ts';

export interface SimulatedGateOptions extends VisitOptions {
  readonly sensor: SensorSize;
  readonly framesPerSecond: number;
}

/** Room and camera swing by so much, over this time. */
const ROOM_SWING_C = 0.15;
const ROOM_PERIOD_MS = 1_800_000;
const SENSOR_SWING_C = 0.3;
const SENSOR_PERIOD_MS = 2_400_000;

const swing = (atMs: number, periodMs: number): number => Math.sin((2 * Math.PI * atMs) / periodMs);

/**
 * A thermal camera with its blackbody in a room, before which people stand one after the other. Times are ms after the beginning and
 * do not go back. The same options and times give the same pictures.
 */
export class SimulatedGate {
  /** Where its blackbody stands in the picture, px, and what it is set to, °C. */
  readonly blackbody: PlannedScene['blackbody'];
  readonly framesPerSecond: number;
  readonly #options: SimulatedGateOptions;
  readonly #place: ThermalScene;
  readonly #visits: Generator<GateVisit>;
  readonly #onVisit: (visit: GateVisit) => void;
  #visit: GateVisit;
  #shown = '';
  #pictures: Generator<SimulatedThermalFrame> | undefined;

  /** @param onVisit told of each visit that has ended */
  constructor(options: SimulatedGateOptions, onVisit: (visit: GateVisit) => void = () => {}) {
    const { scene, blackbody } = planScene(options.seed, 'nobody', options.sensor);
    this.blackbody = blackbody;
    this.framesPerSecond = options.framesPerSecond;
    this.#options = options;
    this.#place = scene;
    this.#visits = planVisits(options);
    this.#onVisit = onVisit;
    this.#visit = this.#visits.next().value;
  }

  /** The air of the room. */
  describeRoom(atMs: number): { readonly celsius: number; readonly relativeHumidity: number } {
    const { ambientC, relativeHumidity } = this.#place.room;
    const share = swing(atMs, ROOM_PERIOD_MS);
    return {
      celsius: ambientC + ROOM_SWING_C * share,
      relativeHumidity: relativeHumidity - 0.01 * share,
    };
  }

  /** The next picture of what stands before the camera at this time. */
  takePicture(atMs: number): SimulatedThermalFrame {
    while (atMs >= this.#visit.toMs) {
      this.#onVisit(this.#visit);
      this.#visit = this.#visits.next().value;
    }
    const kind = this.#visit.phases.findLast(({ fromMs }) => atMs >= fromMs)?.kind ?? 'nobody';
    const shown = `${this.#visit.number} ${kind}`;
    if (shown !== this.#shown) this.#pictures = takeThermalPictures(this.#drawScene(kind, atMs));
    this.#shown = shown;
    const next = this.#pictures?.next();
    if (next === undefined || next.done === true) throw new RangeError('a scene without an end has ended');
    return next.value;
  }

  #drawScene(kind: SceneKind, atMs: number): ThermalScene {
    const { celsius: ambientC } = this.describeRoom(atMs);
    const { sensor, room } = this.#place;
    const place: ThermalScene = {
      ...this.#place,
      room: { ...room, ambientC },
      sensor: {
        ...sensor,
        offsetC: sensor.offsetC + SENSOR_SWING_C * swing(atMs, SENSOR_PERIOD_MS),
        offsetCPerFrame: 0,
      },
      frames: Number.POSITIVE_INFINITY,
      framesPerSecond: this.framesPerSecond,
    };
    const { number, canthusC } = this.#visit;
    return { ...place, ...planVisitors(place, { seed: this.#options.seed + 7 * number, kind, canthusC }) };
  }
}
