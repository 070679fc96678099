import { isTwoWheeler, type RoadUserLabel } from '@ngatu/contract';
import type { CaseDraft } from './case-draft.ts';
import type { Obstacle } from './road-user-motion.ts';
import type { ScriptedUser } from './scene-world.ts';

/** A lane to be filled: users follow one another and keep to the same obstacles. */
export interface LaneWish {
  /** Middle of the lane, m to the right of the middle of the street. */
  readonly across: number;
  readonly widthM: number;
  /** Where they come into the street, m along. */
  readonly fromM: number;
  readonly turnedDeg?: number;
  readonly labels: readonly RoadUserLabel[];
  readonly speedMps: readonly [number, number];
  /** Mean time between two, s. */
  readonly headwayS: number;
  /** Obstacles along the way, m from where they come in. */
  readonly obstacles?: readonly Obstacle[];
  /** Who is already there, before the first one. */
  readonly leader?: ScriptedUser;
  readonly startMs?: number;
  readonly maxUsers?: number;
}

/** Vietnamese streets: mostly motorbikes. */
export const MIXED_TRAFFIC = [
  'motorbike',
  'motorbike',
  'motorbike',
  'motorbike',
  'car',
  'car',
  'bus',
  'truck',
] as const satisfies readonly RoadUserLabel[];

/** Fills a lane with road users that keep their distance. */
export function fillLane(draft: CaseDraft, wish: LaneWish): void {
  const { random } = draft;
  let leader = wish.leader;
  let atMs = (wish.startMs ?? 0) + random.between(0, wish.headwayS * 1000);
  for (let n = 0; n < (wish.maxUsers ?? 20) && atMs < draft.durationMs - 2_000; n++) {
    const label = random.pick(wish.labels);
    const speed = random.between(...wish.speedMps);
    const sway = isTwoWheeler(label) ? 0.3 * wish.widthM : 0.08 * wish.widthM;
    const free = leader === undefined || isClear(leader, atMs);
    if (free) {
      leader = draft.add({
        label,
        from: { across: wish.across + random.between(-sway, sway), along: wish.fromM },
        turnedDeg: wish.turnedDeg ?? 0,
        drive: {
          startMs: atMs,
          startSpeedMps: Math.min(speed, leader?.motion.speedAt(atMs) || speed),
          desiredSpeedMps: speed,
          ...(wish.obstacles === undefined ? {} : { obstacles: wish.obstacles }),
          ...(leader === undefined
            ? {}
            : { leader: { motion: leader.motion, rearOverhangM: leader.body.rearOverhangM } }),
        },
      });
    }
    atMs += Math.max(700, -Math.log(1 - random.next()) * wish.headwayS * 1000);
  }
}

/** True where the one before has left room to come in behind it. */
function isClear(leader: ScriptedUser, atMs: number): boolean {
  const along = leader.motion.alongAt(atMs);
  return along === undefined || along > 9;
}
