import { SeededRandom } from '../random/seeded-random.ts';
import { drawFace, type FaceCover } from './face-model.ts';
import type {
  SimulatedBlackbody,
  SimulatedPerson,
  SimulatedSensor,
  ThermalScene,
  WarmObject,
} from './thermal-scene.ts';

/** What is wrong with a scene; `protocol` is a scene as the protocol of the gate asks for. */
export const SCENE_KINDS = [
  'protocol',
  'nobody',
  'two-people',
  'person-behind',
  'too-far',
  'cut-off',
  'glasses',
  'hat',
  'fringe',
  'side-view',
  'turned-away',
  'moving',
  'hot-cup',
  'warm-background',
  'few-frames',
  'no-blackbody',
  'drifting-blackbody',
  'wrong-blackbody',
  'drifting-sensor',
  'room-too-cold',
  'room-too-warm',
  'room-too-humid',
] as const;
export type SceneKind = (typeof SCENE_KINDS)[number];

/** Exact truth of a scene. */
export interface SceneTruth {
  readonly kind: SceneKind;
  /** Skin at the warmer inner canthus of the nearest person, °C; absent where nobody is there. */
  readonly canthusC?: number;
}

export interface PlannedScene {
  readonly scene: ThermalScene;
  readonly truth: SceneTruth;
  /** Where the gate is told that its blackbody stands, px, and what it is set to, °C. */
  readonly blackbody: {
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
    readonly setC: number;
  };
  /** Size class of the sensor. */
  readonly sensor: SensorSize;
}

export type SensorSize = 'full' | 'small';

const SENSOR_SIZES = { full: { width: 640, height: 480 }, small: { width: 320, height: 240 } } as const;
const FRAMES = 8;

/** Draws one scene of a kind. The same seed, kind and sensor give the same scene. */
export function planScene(seed: number, kind: SceneKind, size: SensorSize = 'full'): PlannedScene {
  const random = new SeededRandom(seed * 7_919 + SCENE_KINDS.indexOf(kind));
  const sensor = drawSensor(random, kind, size);
  const room = drawRoom(random, kind);
  const canthusC = random.chance(0.2) ? random.between(36.3, 38.5) : random.gaussian(35.2, 0.4);
  const first = drawPerson(random, { kind, sensor, ambientC: room.ambientC, canthusC });
  const people = kind === 'nobody' ? [] : [...drawCompany(random, kind, first, room.ambientC), first];
  const blackbody = drawBlackbody(random, kind, sensor);
  const scene: ThermalScene = {
    seed,
    room,
    sensor,
    people,
    objects: drawObjects(random, kind, first),
    frames: kind === 'few-frames' ? 2 : FRAMES,
    framesPerSecond: 9,
    ...(kind === 'no-blackbody' ? {} : { blackbody }),
  };
  const { x, y, width, height, setC } = blackbody;
  return {
    scene,
    sensor: size,
    truth: kind === 'nobody' ? { kind } : { kind, canthusC },
    blackbody: { x, y, width, height, setC },
  };
}

/**
 * Who and what stands before the camera of a given place, °C at the warmer inner canthus of the nearest person as given. The same seed
 * and temperature are the same face, whatever it does wrong.
 */
export function planVisitors(
  { room, sensor }: Pick<ThermalScene, 'room' | 'sensor'>,
  { seed, kind, canthusC }: { readonly seed: number; readonly kind: SceneKind; readonly canthusC: number },
): Pick<ThermalScene, 'people' | 'objects'> {
  if (kind === 'nobody') return { people: [], objects: [] };
  const { ambientC } = room;
  const face = drawFace(new SeededRandom(seed), canthusC, ambientC);
  const random = new SeededRandom(seed + 1);
  const first = { ...drawPerson(random, { kind, sensor, ambientC, canthusC }), face };
  const people = [...drawCompany(random, kind, first, ambientC), first];
  return { people, objects: drawObjects(random, kind, first) };
}

function drawSensor(random: SeededRandom, kind: SceneKind, size: SensorSize): SimulatedSensor {
  return {
    ...SENSOR_SIZES[size],
    netdC: random.between(0.03, 0.06),
    offsetC: random.between(-1.5, 1.5),
    offsetCPerFrame: kind === 'drifting-sensor' ? random.between(0.12, 0.2) : random.gaussian(0, 0.002),
    gain: random.between(0.99, 1.01),
    vignettingC: random.between(-0.15, 0.15),
    patternC: random.between(0.01, 0.03),
    stepC: 0.01,
  };
}

function drawRoom(random: SeededRandom, kind: SceneKind): ThermalScene['room'] {
  const ambientC =
    kind === 'room-too-cold'
      ? random.between(8, 18.5)
      : kind === 'room-too-warm'
        ? random.between(25.5, 33)
        : random.between(20.2, 23.8);
  return {
    ambientC,
    relativeHumidity: kind === 'room-too-humid' ? random.between(0.55, 0.9) : random.between(0.15, 0.48),
    distanceM: random.between(0.6, 1.5),
    wallC: kind === 'warm-background' ? random.between(30.5, 36) : ambientC + random.between(-0.5, 1.5),
  };
}

interface PersonPlan {
  readonly kind: SceneKind;
  readonly sensor: SimulatedSensor;
  readonly ambientC: number;
  readonly canthusC: number;
}

function drawPerson(random: SeededRandom, { kind, sensor, ambientC, canthusC }: PersonPlan): SimulatedPerson {
  const unit = sensor.height / 480;
  const share = kind === 'too-far' ? random.between(0.2, 0.6) : 1;
  const faceWidthPx = random.between(190, 225) * unit * share;
  const sideways = random.chance(0.5) ? -1 : 1;
  const cover: FaceCover = {
    ...(kind === 'glasses' ? { glasses: true } : {}),
    ...(kind === 'hat' ? { hat: true } : {}),
    ...(kind === 'fringe' ? { fringe: true } : {}),
    ...(kind === 'protocol' && random.chance(0.25) ? { mask: true } : {}),
  };
  const angle = random.between(0, 10) * sideways;
  const speed = kind === 'moving' ? random.between(0.03, 0.08) : random.between(0, 0.003);
  const direction = random.between(0, 2 * Math.PI);
  const cutOff = kind === 'cut-off';
  return {
    face: drawFace(random, canthusC, ambientC),
    cover,
    eyesX: cutOff
      ? sideways > 0
        ? sensor.width - 0.1 * faceWidthPx
        : 0.1 * faceWidthPx
      : sensor.width * random.between(0.44, 0.56),
    eyesY: sensor.height * random.between(0.45, 0.5),
    faceWidthPx,
    yawDegrees:
      kind === 'side-view'
        ? random.between(50, 90) * sideways
        : kind === 'turned-away'
          ? random.between(28, 45) * sideways
          : angle,
    rollDegrees: random.between(-6, 6),
    movesX: Math.cos(direction) * speed * faceWidthPx,
    movesY: Math.sin(direction) * speed * faceWidthPx,
    clothingC: ambientC + random.between(3, 7),
  };
}

function drawCompany(
  random: SeededRandom,
  kind: SceneKind,
  first: SimulatedPerson,
  ambientC: number,
): SimulatedPerson[] {
  if (kind !== 'two-people' && kind !== 'person-behind') return [];
  const side = random.chance(0.5) ? -1 : 1;
  const behind = kind === 'person-behind';
  return [
    {
      ...first,
      face: drawFace(random, random.gaussian(35.2, 0.4), ambientC),
      faceWidthPx: first.faceWidthPx * (behind ? random.between(0.35, 0.6) : random.between(0.85, 1.05)),
      eyesX: first.eyesX + side * first.faceWidthPx * random.between(0.95, 1.15),
      eyesY: first.eyesY + first.faceWidthPx * random.between(-0.25, 0.15),
      yawDegrees: random.between(-20, 20),
    },
  ];
}

function drawObjects(random: SeededRandom, kind: SceneKind, person: SimulatedPerson): WarmObject[] {
  if (kind !== 'hot-cup') return [];
  const side = random.chance(0.5) ? -1 : 1;
  const width = Math.round(person.faceWidthPx * random.between(0.3, 0.45));
  return [
    {
      x: Math.round(person.eyesX + side * person.faceWidthPx * random.between(0.85, 1) - width / 2),
      y: Math.round(person.eyesY + person.faceWidthPx * random.between(-0.1, 0.5)),
      width,
      height: Math.round(width * 1.2),
      celsius: random.between(42, 75),
      emissivity: 0.93,
    },
  ];
}

function drawBlackbody(random: SeededRandom, kind: SceneKind, sensor: SimulatedSensor): SimulatedBlackbody {
  const side = Math.round(sensor.width * 0.07);
  const left = random.chance(0.5);
  return {
    x: left ? Math.round(sensor.width * 0.04) : Math.round(sensor.width * 0.96) - side,
    y: Math.round(sensor.height * random.between(0.08, 0.2)),
    width: side,
    height: side,
    setC: 35,
    emissivity: 0.98,
    errorC:
      kind === 'wrong-blackbody'
        ? random.between(4, 8) * (random.chance(0.5) ? -1 : 1)
        : random.gaussian(0, 0.05),
    driftCPerFrame: kind === 'drifting-blackbody' ? random.between(0.15, 0.4) : 0,
  };
}
