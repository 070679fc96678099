import { SeededRandom } from '../random/seeded-random.ts';
import { computeBandRadiance, computeBandTemperature } from './band-radiance.ts';
import { computeCover, computeHead, type SurfacePoint } from './face-model.ts';
import type {
  PictureRegion,
  SimulatedBlackbody,
  SimulatedPerson,
  SimulatedThermalFrame,
  ThermalScene,
} from './thermal-scene.ts';

/** Outline of a head: half height above and below the line of the eyes, in face widths. */
const HEAD_ABOVE = 0.82;
const NECK_HALF_WIDTH = 0.3;
const NECK_LENGTH = 0.45;
const SHOULDERS_HALF_WIDTH = 1.05;
const WALL_EMISSIVITY = 0.93;
const CLOTH_EMISSIVITY = 0.94;
const NOISE_VALUES = 65_536;
/** The share of the radiation that air takes away over a metre in this band, at 23 °C and 40 % (Sensors 23, 8011, 2023, gives this order). */
const AIR_LOSS_PER_METRE = 0.006;

/** Temperature and emissivity of every pixel before the sensor. */
interface Surface {
  readonly celsius: Float32Array;
  readonly emissivity: Float32Array;
}

/**
 * Takes the pictures of a scene, one after the other: what stands before the camera, the radiation that reaches it through
 * the air, and a sensor with noise, drift, gain error, vignetting and fixed pattern. The same scene gives the same pictures.
 */
export function* takeThermalPictures(scene: ThermalScene): Generator<SimulatedThermalFrame> {
  const random = new SeededRandom(scene.seed ^ 0x5eed);
  const noise = Float32Array.from({ length: NOISE_VALUES }, () => random.gaussian(0, 1));
  const pattern = Float32Array.from({ length: NOISE_VALUES }, () => random.gaussian(0, 1));
  let apparent: Float32Array = new Float32Array();
  let painted = '';
  for (let index = 0; index < scene.frames; index++) {
    const look = describeLook(scene, index);
    if (look !== painted) apparent = computeApparent(scene, paintScene(scene, index));
    painted = look;
    const shift = Math.floor(random.next() * NOISE_VALUES);
    yield {
      width: scene.sensor.width,
      height: scene.sensor.height,
      celsius: senseApparent(scene, apparent, { index, shift, noise, pattern }),
      mediaTimeMs: (index * 1000) / scene.framesPerSecond,
    };
  }
}

/** People move by whole pixels, so that a still person need not be painted anew for every picture. */
function placeEyes(person: SimulatedPerson, index: number): { readonly x: number; readonly y: number } {
  return {
    x: person.eyesX + Math.round(person.movesX * index),
    y: person.eyesY + Math.round(person.movesY * index),
  };
}

/** The same text where the same picture stands before the sensor. */
function describeLook({ people, blackbody }: ThermalScene, index: number): string {
  return JSON.stringify([
    people.map((person) => placeEyes(person, index)),
    (blackbody?.driftCPerFrame ?? 0) * index,
  ]);
}

function paintScene(scene: ThermalScene, index: number): Surface {
  const { width, height } = scene.sensor;
  const surface: Surface = {
    celsius: new Float32Array(width * height).fill(scene.room.wallC),
    emissivity: new Float32Array(width * height).fill(WALL_EMISSIVITY),
  };
  for (const object of scene.objects) paintRegion(scene, surface, object, object);
  for (const person of scene.people) paintPerson(scene, surface, person, index);
  if (scene.blackbody !== undefined) paintBlackbody(scene, surface, scene.blackbody, index);
  return surface;
}

function paintBlackbody(
  scene: ThermalScene,
  surface: Surface,
  body: SimulatedBlackbody,
  index: number,
): void {
  const rim = Math.max(2, Math.round(body.width * 0.12));
  const housing = {
    x: body.x - rim,
    y: body.y - rim,
    width: body.width + 2 * rim,
    height: body.height + 2 * rim,
  };
  paintRegion(scene, surface, housing, { celsius: scene.room.ambientC + 3, emissivity: 0.9 });
  const celsius = body.setC + body.errorC + body.driftCPerFrame * index;
  paintRegion(scene, surface, body, { celsius, emissivity: body.emissivity });
}

function paintRegion(
  { sensor }: ThermalScene,
  surface: Surface,
  region: PictureRegion,
  { celsius, emissivity }: SurfacePoint,
): void {
  for (let y = Math.max(0, region.y); y < Math.min(sensor.height, region.y + region.height); y++) {
    const from = y * sensor.width + Math.max(0, region.x);
    const to = y * sensor.width + Math.min(sensor.width, region.x + region.width);
    surface.celsius.fill(celsius, from, Math.max(from, to));
    surface.emissivity.fill(emissivity, from, Math.max(from, to));
  }
}

/** Paints clothing, neck and head, each edge one pixel soft as the lens makes it. */
function paintPerson(scene: ThermalScene, surface: Surface, person: SimulatedPerson, index: number): void {
  const { width, height } = scene.sensor;
  const scale = person.faceWidthPx;
  const { x: eyesX, y: eyesY } = placeEyes(person, index);
  const cos = Math.cos((person.rollDegrees * Math.PI) / 180);
  const sin = Math.sin((person.rollDegrees * Math.PI) / 180);
  const top = Math.max(0, Math.floor(eyesY - 1.2 * scale));
  const left = Math.max(0, Math.floor(eyesX - SHOULDERS_HALF_WIDTH * scale));
  const right = Math.min(width, Math.ceil(eyesX + SHOULDERS_HALF_WIDTH * scale));
  for (let py = top; py < height; py++) {
    for (let px = left; px < right; px++) {
      const dx = (px - eyesX) / scale;
      const dy = (py - eyesY) / scale;
      const place = { x: dx * cos + dy * sin, y: dy * cos - dx * sin };
      const at = py * width + px;
      paintBody(surface, person, { at, dx, dy });
      const share = computeHeadShare(person, place);
      if (share <= 0) continue;
      const point = computeHeadPoint(scene, person, place);
      surface.celsius[at] = mix(surface.celsius[at], point.celsius, share);
      surface.emissivity[at] = mix(surface.emissivity[at], point.emissivity, share);
    }
  }
}

function mix(below: number | undefined, above: number, share: number): number {
  return (below ?? above) * (1 - share) + above * share;
}

/** How much of a pixel the head covers, 0–1: an ellipse above the eyes, and a jaw that narrows below. */
function computeHeadShare(person: SimulatedPerson, { x, y }: { x: number; y: number }): number {
  const { chinDrop } = person.face;
  const radius =
    y < 0
      ? Math.hypot(x / 0.5, y / HEAD_ABOVE)
      : (Math.abs(x / 0.5) ** 2.4 + (y / chinDrop) ** 2.4) ** (1 / 2.4);
  return Math.min(1, Math.max(0, (1 - radius) * 0.5 * person.faceWidthPx + 0.5));
}

/** The point of the turned head that is seen at this place: the face lies on an upright cylinder. */
function computeHeadPoint(
  scene: ThermalScene,
  person: SimulatedPerson,
  { x, y }: { x: number; y: number },
): SurfacePoint {
  const { face, cover, yawDegrees } = person;
  const angle = Math.asin(Math.min(1, Math.max(-1, x / 0.5))) - (yawDegrees * Math.PI) / 180;
  const { ambientC } = scene.room;
  if (Math.abs(angle) > Math.PI / 2) {
    // the side of the head: ear on hair
    const ear = Math.hypot((Math.abs(angle) - 1.75) / 0.25, (y - 0.1) / 0.2) < 1;
    const celsius = face.canthusC + (ear ? face.ears : y > 0.45 ? face.chin : face.hair);
    return { celsius, emissivity: 0.96 };
  }
  const place = { x: 0.5 * Math.sin(angle), y: y - face.nod, ambientC };
  return computeCover(cover, face, place) ?? computeHead(face, place.x, place.y);
}

function paintBody(
  surface: Surface,
  person: SimulatedPerson,
  { at, dx, dy }: { at: number; dx: number; dy: number },
): void {
  const { face } = person;
  const collar = face.chinDrop + NECK_LENGTH - 0.25;
  const side = Math.abs(dx);
  const shoulder = collar + 0.35 * (side / SHOULDERS_HALF_WIDTH) ** 2;
  if (dy > shoulder && side < SHOULDERS_HALF_WIDTH) {
    surface.celsius[at] = person.clothingC + 1.2 * Math.cos(5 * dx) * Math.cos(3 * dy);
    surface.emissivity[at] = CLOTH_EMISSIVITY;
    const opening = collar + 0.2 - side * 0.9;
    if (dy < opening) {
      surface.celsius[at] = face.canthusC + face.neck;
      surface.emissivity[at] = 0.98;
    }
  } else if (dy > 0.5 && side < NECK_HALF_WIDTH) {
    surface.celsius[at] = face.canthusC + face.neck - 1.2 * (side / NECK_HALF_WIDTH) ** 2;
    surface.emissivity[at] = 0.98;
  }
}

/** Emission and reflection of the room, weakened by the air, which radiates itself. */
function computeApparent(scene: ThermalScene, surface: Surface): Float32Array {
  const { ambientC, distanceM, relativeHumidity } = scene.room;
  const pass = Math.exp(-AIR_LOSS_PER_METRE * distanceM * (0.5 + relativeHumidity / 0.8));
  const room = computeBandRadiance(ambientC);
  const apparent = new Float32Array(surface.celsius.length);
  let last = Number.NaN;
  let lastEmissivity = Number.NaN;
  let lastApparent = 0;
  for (let i = 0; i < apparent.length; i++) {
    const celsius = surface.celsius[i] ?? ambientC;
    const emissivity = surface.emissivity[i] ?? 1;
    if (celsius !== last || emissivity !== lastEmissivity) {
      const leaves = emissivity * computeBandRadiance(celsius) + (1 - emissivity) * room;
      lastApparent = computeBandTemperature(pass * leaves + (1 - pass) * room);
      last = celsius;
      lastEmissivity = emissivity;
    }
    apparent[i] = lastApparent;
  }
  return apparent;
}

interface Exposure {
  readonly index: number;
  readonly shift: number;
  readonly noise: Float32Array;
  readonly pattern: Float32Array;
}

function senseApparent(
  { sensor }: ThermalScene,
  apparent: Float32Array,
  { index, shift, noise, pattern }: Exposure,
): Float32Array {
  const { width, height, netdC, gain, vignettingC, patternC, stepC } = sensor;
  const offset = sensor.offsetC + sensor.offsetCPerFrame * index;
  const sensed = new Float32Array(apparent.length);
  const farthest = (width ** 2 + height ** 2) / 4;
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const distance = ((x - width / 2) ** 2 + (y - height / 2) ** 2) / farthest;
      const value =
        30 +
        gain * ((apparent[i] ?? 0) - 30) +
        offset +
        vignettingC * distance +
        netdC * (noise[(i * 7 + shift) % NOISE_VALUES] ?? 0) +
        patternC * (pattern[(i * 13) % NOISE_VALUES] ?? 0);
      sensed[i] = Math.round(value / stepC) * stepC;
    }
  }
  return sensed;
}
