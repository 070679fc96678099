import type { RoadUserLabel, SignalState } from '@ngatu/contract';
import {
  type CameraPose,
  GroundCamera,
  type GroundPoint,
  type PictureBox,
  type PicturePoint,
  type WorldPoint,
} from './ground-camera.ts';
import type { GroundPath } from './ground-path.ts';
import type { BodyPoint, RoadUserBody } from './road-user-body.ts';
import type { RoadUserMotion } from './road-user-motion.ts';
import { computeVisibility, type Silhouette } from './silhouette.ts';

/** One road user with its way and its motion. */
export interface ScriptedUser {
  readonly userId: number;
  /** The one that the case is about, or part of the traffic around it. */
  readonly role: 'subject' | 'traffic';
  readonly body: RoadUserBody;
  readonly path: GroundPath;
  readonly motion: RoadUserMotion;
}

/** A lamp shows a state from a moment on; what stands first has lasted for an unknown time. */
export interface LampPhase {
  readonly state: SignalState;
  readonly sinceMs: number;
}

export interface SceneWorld {
  readonly camera: CameraPose;
  readonly users: readonly ScriptedUser[];
  /** Phases of the lamp `main`, oldest first; empty where there is none. */
  readonly lamp: readonly LampPhase[];
  readonly durationMs: number;
  readonly fps: number;
}

/** Where a road user stands at a moment, on the road. */
export interface UserPose {
  readonly rear: GroundPoint;
  readonly front: GroundPoint;
  readonly middle: GroundPoint;
  readonly headingRad: number;
  readonly speedMps: number;
}

/** What is true of one road user in one picture. Boxes in source pixels, cut at the picture's edge. */
export interface UserTruth {
  readonly userId: number;
  readonly label: RoadUserLabel;
  readonly role: ScriptedUser['role'];
  /** The whole road user with its riders, also what is covered. */
  readonly box: PictureBox;
  /** The same, not cut. */
  readonly wholeBox: PictureBox;
  /** The vehicle alone, or the pedestrian. */
  readonly vehicleBox: PictureBox;
  readonly riderBoxes: readonly PictureBox[];
  /** Share of it that nobody nearer covers and that lies in the picture, 0–1. */
  readonly visibleShare: number;
  /** Around what is in sight; absent where nothing is. */
  readonly visibleBox?: PictureBox;
  readonly rear: PicturePoint;
  readonly front: PicturePoint;
  readonly pose: UserPose;
  readonly distanceM: number;
}

export interface FrameTruth {
  readonly index: number;
  readonly atMs: number;
  readonly lamp?: LampPhase;
  readonly users: readonly UserTruth[];
}

export function computeUserPose(user: ScriptedUser, atMs: number): UserPose | undefined {
  const along = user.motion.alongAt(atMs);
  if (along === undefined) return undefined;
  const { point: rear, headingRad } = user.path.poseAt(along);
  const reach = (share: number): GroundPoint => [
    rear[0] + share * user.body.wheelBaseM * Math.cos(headingRad),
    rear[1] + share * user.body.wheelBaseM * Math.sin(headingRad),
  ];
  return { rear, front: reach(1), middle: reach(0.5), headingRad, speedMps: user.motion.speedAt(atMs) };
}

/** The phase at a moment. */
export function findLampPhase(lamp: readonly LampPhase[], atMs: number): LampPhase | undefined {
  return lamp.findLast(({ sinceMs }) => sinceMs <= atMs) ?? lamp[0];
}

/** Every picture of a world, in order. */
export function* listFrames(world: SceneWorld): Generator<FrameTruth> {
  const camera = new GroundCamera(world.camera);
  const count = Math.floor((world.durationMs * world.fps) / 1000);
  for (let index = 0; index < count; index++) {
    yield computeFrameTruth(world, camera, index);
  }
}

export function computeFrameTruth(world: SceneWorld, camera: GroundCamera, index: number): FrameTruth {
  const atMs = (index * 1000) / world.fps;
  const placed = world.users.flatMap((user) => placeUser(user, camera, atMs) ?? []);
  placed.sort((a, b) => a.distanceM - b.distanceM);
  const users = placed.flatMap((user, at): UserTruth[] => {
    const nearer = placed.slice(0, at).flatMap(({ silhouettes }) => silhouettes);
    const sight = computeVisibility(user.silhouettes, nearer, camera.pose);
    const box = cutToPicture(user.truth.box, camera.pose);
    if (box === undefined) return [];
    return [{ ...user.truth, box, ...sight }];
  });
  const lamp = findLampPhase(world.lamp, atMs);
  return { index, atMs, users, ...(lamp === undefined ? {} : { lamp }) };
}

interface PlacedUser {
  readonly truth: Omit<UserTruth, 'visibleShare'>;
  readonly silhouettes: readonly Silhouette[];
  readonly distanceM: number;
}

function placeUser(user: ScriptedUser, camera: GroundCamera, atMs: number): PlacedUser | undefined {
  const pose = computeUserPose(user, atMs);
  if (pose === undefined) return undefined;
  const vehicle = projectAll(user.body.outline, pose, camera);
  const riders = user.body.riders.map((rider) => projectAll(rider, pose, camera));
  const rear = camera.project([...pose.rear, 0]);
  const front = camera.project([...pose.front, 0]);
  const [vehicleBox, ...riderBoxes] = [vehicle, ...riders].flatMap((points) =>
    points === undefined ? [] : [boundPoints(points)],
  );
  if (vehicle === undefined || vehicleBox === undefined || rear === undefined || front === undefined)
    return undefined;
  const distanceM = Math.hypot(pose.middle[0], pose.middle[1]);
  const silhouettes = [vehicle, ...riders].flatMap((points) => (points === undefined ? [] : [points]));
  const box = [vehicleBox, ...riderBoxes].reduce(uniteBoxes);
  const truth = {
    userId: user.userId,
    label: user.body.label,
    role: user.role,
    box,
    wholeBox: box,
    vehicleBox,
    riderBoxes,
    rear,
    front,
    pose,
    distanceM,
  };
  return {
    truth,
    silhouettes: silhouettes.map((points) => ({ points, box: boundPoints(points) })),
    distanceM,
  };
}

function projectAll(
  points: readonly BodyPoint[],
  { rear, headingRad }: UserPose,
  camera: GroundCamera,
): PicturePoint[] | undefined {
  const [cos, sin] = [Math.cos(headingRad), Math.sin(headingRad)];
  const projected: PicturePoint[] = [];
  for (const [forward, right, up] of points) {
    const point: WorldPoint = [
      rear[0] + forward * cos + right * sin,
      rear[1] + forward * sin - right * cos,
      up,
    ];
    const pixel = camera.project(point);
    if (pixel === undefined) return undefined;
    projected.push(pixel);
  }
  return projected;
}

function boundPoints(points: readonly PicturePoint[]): PictureBox {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

function uniteBoxes(a: PictureBox, b: PictureBox): PictureBox {
  return [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3])];
}

/** Undefined where less than a few pixels of it lie in the picture. */
export function cutToPicture(box: PictureBox, { width, height }: CameraPose): PictureBox | undefined {
  const cut: PictureBox = [
    Math.max(0, box[0]),
    Math.max(0, box[1]),
    Math.min(width, box[2]),
    Math.min(height, box[3]),
  ];
  return cut[2] - cut[0] < 3 || cut[3] - cut[1] < 3 ? undefined : cut;
}
