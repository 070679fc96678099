import type { Calibration, RoadUserLabel } from '@ngatu/contract';

/** Exact passages of road users before exact cameras, with the errors that a detector adds. Seeded: the same seed gives the same cases. */

type Place = readonly [x: number, y: number, z: number];
type Pixel = [x: number, y: number];

/** Above a flat road; ground x to the right, y away from the camera, z up, origin below it, m. */
interface Camera {
  readonly width: number;
  readonly height: number;
  readonly focalPx: number;
  readonly depression: number;
  readonly heightM: number;
}

export interface SpeedCase {
  readonly label: RoadUserLabel;
  readonly calibration: Calibration;
  readonly depressionDeg: number;
  /** From the camera to the middle of the passage, m. */
  readonly distanceM: number;
  readonly fps: number;
  /** What the detector found: oldest first, source pixels. */
  readonly sights: readonly { timeMs: number; box: readonly [number, number, number, number] }[];
  /** Mean speed between the first and the last sight, km/h. */
  readonly trueKmh: number;
}

/** Length, width, height, m. */
const BODIES = {
  motorbike: [1.9, 0.7, 1.65],
  car: [4.5, 1.8, 1.5],
  truck: [7, 2.3, 2.9],
  bus: [10.5, 2.5, 3.1],
} as const satisfies Partial<Record<RoadUserLabel, readonly [number, number, number]>>;

/** Each box edge: standard error as a share of the box height, and the range of times in which the error is forgotten, ms. */
const EDGE_ERROR_SHARE = 0.03;
const EDGE_MEMORY_MS = [100, 600] as const;
const MISS_SHARE = 0.15;
/** The lower edge keeps away from the contact by this share of the height all along a passage, standard deviation. */
const HABIT_SHARE = 0.025;
const FRAME_RATES = [6, 10, 15, 30] as const;
/** Heights above the road at which cameras hang, m. */
const CAMERA_HEIGHTS = [3.5, 20] as const;
const GRAVITY_OF_HABIT = 2.5;

/** Draws one passage; undefined where the drawn camera would hang too high or the passage is not in sight. */
export function drawSpeedCase(random: () => number): SpeedCase | undefined {
  const gaussian = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const between = (low: number, high: number): number => low + (high - low) * random();
  const distanceM = between(8, 60);
  const depression = (between(10, 60) * Math.PI) / 180;
  const heightM = distanceM * Math.sin(depression);
  if (heightM < CAMERA_HEIGHTS[0] || heightM > CAMERA_HEIGHTS[1]) return undefined;
  const camera = { width: 1280, height: 720, focalPx: between(900, 1500), depression, heightM };
  const label = (['motorbike', 'car', 'truck', 'bus'] as const)[Math.floor(random() * 4)] ?? 'car';
  const fps = FRAME_RATES[Math.floor(random() * FRAME_RATES.length)] ?? 10;
  const speed = between(15, 100) / 3.6;
  const acceleration = Math.max(-GRAVITY_OF_HABIT, Math.min(GRAVITY_OF_HABIT, gaussian()));
  const durationS = Math.min(4, between(8, 35) / speed);
  const middleM = distanceM * Math.cos(depression);
  const angle = (random() < 0.8 ? between(-30, 30) : between(60, 120)) * (Math.PI / 180);
  const along = random() < 0.5 ? 1 : -1;
  const heading = [along * Math.sin(angle), along * Math.cos(angle)] as const;
  const passage = {
    camera,
    label,
    speed,
    acceleration,
    durationS,
    heading,
    middle: [between(-2, 2), middleM] as const,
  };
  const sights = observe(passage, fps, { gaussian, random, between });
  const first = sights[0];
  const last = sights.at(-1);
  if (first === undefined || last === undefined || sights.length < 4) return undefined;
  const way = wayAt(passage, last.timeMs) - wayAt(passage, first.timeMs);
  if (way < 5) return undefined;
  return {
    label,
    calibration: calibrateInSight(camera, passage.middle, gaussian),
    depressionDeg: (depression * 180) / Math.PI,
    distanceM,
    fps,
    sights,
    trueKmh: (3600 * way) / (last.timeMs - first.timeMs),
  };
}

interface Passage {
  readonly camera: Camera;
  readonly label: keyof typeof BODIES;
  readonly speed: number;
  readonly acceleration: number;
  readonly durationS: number;
  readonly heading: readonly [number, number];
  readonly middle: readonly [number, number];
}

interface Draw {
  readonly gaussian: () => number;
  readonly random: () => number;
  readonly between: (low: number, high: number) => number;
}

/** Way from the middle of the passage, m. */
function wayAt({ speed, acceleration, durationS }: Passage, timeMs: number): number {
  const t = timeMs / 1000 - durationS / 2;
  return speed * t + (acceleration * t * t) / 2;
}

function observe(passage: Passage, fps: number, draw: Draw): SpeedCase['sights'][number][] {
  const { camera, durationS } = passage;
  const memoryMs = draw.between(...EDGE_MEMORY_MS);
  const habit = HABIT_SHARE * draw.gaussian();
  const kept = Math.exp(-1000 / fps / memoryMs);
  let errors = [0, 0, 0, 0].map(() => draw.gaussian());
  const sights: SpeedCase['sights'][number][] = [];
  for (let index = 0; index <= durationS * fps; index++) {
    const timeMs = (index * 1000) / fps;
    if (index > 0)
      errors = errors.map((error) => kept * error + Math.sqrt(1 - kept * kept) * draw.gaussian());
    const corners = computeCorners(passage, timeMs);
    if (corners.some(({ depth }) => depth < 1)) return [];
    const xs = corners.map(({ pixel }) => camera.width / 2 + pixel[0]);
    const ys = corners.map(({ pixel }) => camera.height / 2 + pixel[1]);
    const box = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)] as const;
    if (box[0] < 0 || box[1] < 0 || box[2] > camera.width || box[3] > camera.height) continue;
    const edge = EDGE_ERROR_SHARE * (box[3] - box[1]);
    const [e1 = 0, e2 = 0, e3 = 0, e4 = 0] = errors;
    if (draw.random() < MISS_SHARE) continue;
    const low = box[3] + edge * e4 + habit * (box[3] - box[1]);
    sights.push({ timeMs, box: [box[0] + edge * e1, box[1] + edge * e2, box[2] + edge * e3, low] });
  }
  return sights;
}

function computeCorners(passage: Passage, timeMs: number): { pixel: Pixel; depth: number }[] {
  const { camera, heading, middle, label } = passage;
  const [length, width, height] = BODIES[label];
  const way = wayAt(passage, timeMs);
  const centre = [middle[0] + way * heading[0], middle[1] + way * heading[1]] as const;
  return [-0.5, 0.5].flatMap((a) =>
    [-0.5, 0.5].flatMap((b) =>
      [0, height].map((z) => {
        const x = centre[0] + a * length * heading[0] + b * width * heading[1];
        const y = centre[1] + a * length * heading[1] - b * width * heading[0];
        return project(camera, [x, y, z]);
      }),
    ),
  );
}

/** Pixels from the middle of the picture. */
function project(camera: Camera, [x, y, z]: Place): { pixel: Pixel; depth: number } {
  const up = z - camera.heightM;
  const depth = y * Math.cos(camera.depression) - up * Math.sin(camera.depression);
  const down = -y * Math.sin(camera.depression) - up * Math.cos(camera.depression);
  return { pixel: [(camera.focalPx * x) / depth, (camera.focalPx * down) / depth], depth };
}

/** Six marked points around the passage, with the errors that the calibration states. */
function calibrateInSight(
  camera: Camera,
  middle: readonly [number, number],
  gaussian: () => number,
): Calibration {
  const imageErrorPx = 1.5;
  const groundErrorM = 0.05;
  const reach = Math.min(12, 0.5 * middle[1] + 3);
  const places = [-1, 0, 1].flatMap((row) => [-4, 4].map((side) => [side, middle[1] + row * reach] as const));
  return {
    pairs: places.map(([x, y]) => {
      const { pixel } = project(camera, [x, y, 0]);
      return {
        image: [
          camera.width / 2 + pixel[0] + imageErrorPx * gaussian(),
          camera.height / 2 + pixel[1] + imageErrorPx * gaussian(),
        ],
        ground: [x + groundErrorM * gaussian(), y + groundErrorM * gaussian()],
      };
    }),
    lengths: [],
    imageErrorPx,
    groundErrorM,
  };
}
