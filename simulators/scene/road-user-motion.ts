/** Motions are kept in steps of this length, ms. */
const STEP_MS = 40;
/** Comfortable and hardest braking, m/s². */
const COMFORTABLE_BRAKE = 2.2;
const HARDEST_BRAKE = 6;
/** Following distance: standstill gap, m, and time gap, s (intelligent driver model, Treiber et al. 2000, table I, for city traffic). */
const STANDSTILL_GAP_M = 1;
const TIME_GAP_S = 1;

/** How far a road user has come along its way: of its rear ground contact, m. */
export class RoadUserMotion {
  readonly startMs: number;
  readonly endMs: number;
  readonly #alongM: Float64Array;

  constructor(startMs: number, alongM: Float64Array) {
    this.startMs = startMs;
    this.endMs = startMs + (alongM.length - 1) * STEP_MS;
    this.#alongM = alongM;
  }

  /** Undefined before it appears and after it has gone. */
  alongAt(atMs: number): number | undefined {
    const step = (atMs - this.startMs) / STEP_MS;
    if (step < 0 || step > this.#alongM.length - 1) return undefined;
    const index = Math.min(Math.floor(step), this.#alongM.length - 2);
    const [from = 0, to = 0] = [this.#alongM[index], this.#alongM[index + 1]];
    return from + (step - index) * (to - from);
  }

  /** m/s; 0 while it is not there. */
  speedAt(atMs: number): number {
    const index = Math.floor((atMs - this.startMs) / STEP_MS);
    const [from, to] = [this.#alongM[index], this.#alongM[index + 1]];
    return from === undefined || to === undefined ? 0 : ((to - from) * 1000) / STEP_MS;
  }
}

/** Something on the way that is not passed while it is there: a stop line on red, a place to park. */
export interface Obstacle {
  /** The front contact comes to stand here, m along the way of the rear contact plus the wheel base. */
  readonly atM: number;
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface DriverScript {
  readonly startMs: number;
  readonly endMs: number;
  /** Where the rear contact begins, m. */
  readonly startM: number;
  readonly startSpeedMps: number;
  readonly desiredSpeedMps: number;
  /** m/s². */
  readonly acceleration: number;
  readonly wheelBaseM: number;
  readonly frontOverhangM: number;
  readonly obstacles?: readonly Obstacle[];
  /** Who drives before it on the same way. */
  readonly leader?: { readonly motion: RoadUserMotion; readonly rearOverhangM: number };
  /** The speed that it wants from a moment on, in order. */
  readonly speeds?: readonly { readonly fromMs: number; readonly speedMps: number }[];
}

/**
 * Drives: accelerates to the wanted speed, keeps its distance to who is before it, and brakes for obstacles evenly, so that the front
 * contact stands exactly at them. An obstacle that appears where it can no longer brake is passed.
 */
export function driveAlong(script: DriverScript): RoadUserMotion {
  const steps = Math.max(2, Math.ceil((script.endMs - script.startMs) / STEP_MS) + 1);
  const alongM = new Float64Array(steps);
  const passed = new Set<Obstacle>();
  const known = new Set<Obstacle>();
  let speed = script.startSpeedMps;
  alongM[0] = script.startM;
  for (let step = 1; step < steps; step++) {
    const nowMs = script.startMs + (step - 1) * STEP_MS;
    const at = alongM[step - 1] ?? 0;
    const front = at + script.wheelBaseM;
    let acceleration = computeFreeAcceleration(script, speed, nowMs);
    acceleration = Math.min(acceleration, followLeader(script, at, speed, nowMs));
    let limit = Number.POSITIVE_INFINITY;
    for (const obstacle of script.obstacles ?? []) {
      if (nowMs < obstacle.fromMs || nowMs >= obstacle.untilMs || passed.has(obstacle)) continue;
      const gap = obstacle.atM - front;
      const needed = gap > 0 ? speed ** 2 / (2 * gap) : Number.POSITIVE_INFINITY;
      const isSudden = !known.has(obstacle);
      known.add(obstacle);
      if (gap < -0.05 || (isSudden && needed > HARDEST_BRAKE)) {
        passed.add(obstacle);
        continue;
      }
      limit = Math.min(limit, Math.max(0, gap));
      if (needed >= COMFORTABLE_BRAKE) acceleration = Math.min(acceleration, -needed);
    }
    const dt = STEP_MS / 1000;
    const next = Math.max(0, speed + acceleration * dt);
    const travel = Math.min(((speed + next) / 2) * dt, limit);
    speed = travel === limit ? 0 : next;
    alongM[step] = at + travel;
  }
  return new RoadUserMotion(script.startMs, alongM);
}

function computeFreeAcceleration(script: DriverScript, speed: number, nowMs: number): number {
  const wanted = script.speeds?.findLast(({ fromMs }) => nowMs >= fromMs)?.speedMps ?? script.desiredSpeedMps;
  const difference = wanted - speed;
  if (difference < 0) return Math.max(-COMFORTABLE_BRAKE, difference / 0.3);
  return Math.min(script.acceleration, difference / 0.3);
}

function followLeader(script: DriverScript, at: number, speed: number, nowMs: number): number {
  const { leader } = script;
  const ahead = leader?.motion.alongAt(nowMs);
  if (leader === undefined || ahead === undefined) return Number.POSITIVE_INFINITY;
  const gap = ahead - leader.rearOverhangM - (at + script.wheelBaseM + script.frontOverhangM);
  if (gap < 0.2) return -HARDEST_BRAKE;
  const closing = speed - leader.motion.speedAt(nowMs);
  const wanted =
    STANDSTILL_GAP_M +
    Math.max(
      0,
      speed * TIME_GAP_S + (speed * closing) / (2 * Math.sqrt(script.acceleration * COMFORTABLE_BRAKE)),
    );
  const ratio = wanted / gap;
  return Math.max(-HARDEST_BRAKE, script.acceleration * (1 - ratio ** 2));
}
