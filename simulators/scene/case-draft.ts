import type { EventKind, RoadUserLabel, Scene } from '@ngatu/contract';
import { GroundPath, type PathPiece } from './ground-path.ts';
import { drawBody, type RoadUserBody } from './road-user-body.ts';
import { type DriverScript, driveAlong, type RoadUserMotion } from './road-user-motion.ts';
import type { SceneRandom } from './scene-random.ts';
import type { LampPhase, SceneWorld, ScriptedUser } from './scene-world.ts';
import type { StreetPoint, StreetSite } from './street-site.ts';

/** What the case wants its subject to do. */
export type CaseIntent = 'violation' | 'near-miss';

/** How near the subject came to the other side of the rule. */
export interface CaseMargin {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
}

/** One thing that is true: who broke which rule when, or where even the truth leaves it open. */
export interface CaseTruth {
  readonly kind: EventKind;
  readonly userId: number;
  /** The decisive moment. */
  readonly atMs: number;
  /** A claim about it may name any moment in here. */
  readonly fromMs: number;
  readonly untilMs: number;
  /** So near to the border that neither a claim nor silence is wrong. */
  readonly isOpen: boolean;
  readonly note: string;
}

/** The parts of a scene file, in street metres until they are drawn. */
export type SceneParts = Pick<Scene, 'zones' | 'tripwires' | 'signals'> & {
  readonly rules: readonly object[];
  readonly calibration?: object;
};

export interface UserWish {
  readonly label: RoadUserLabel;
  readonly role?: ScriptedUser['role'];
  readonly riders?: number;
  readonly from: StreetPoint;
  readonly turnedDeg?: number;
  readonly pieces?: readonly PathPiece[];
  readonly body?: RoadUserBody;
  readonly drive: Partial<Omit<DriverScript, 'wheelBaseM' | 'frontOverhangM'>>;
}

const FRAME_RATES = [6, 8, 10, 12.5, 15, 20, 25] as const;

/** Of cases on a real street, whose pictures are rendered. */
const REAL_STREET_FPS = 12.5;
/** A case of half a minute and more need not be seen as often. */
const LONG_CASE = { fromMs: 30_000, fps: 5 };

/** A case in the making: a site, its road users and its lamp. */
export class CaseDraft {
  readonly site: StreetSite;
  readonly random: SceneRandom;
  readonly durationMs: number;
  readonly fps: number;
  readonly users: ScriptedUser[] = [];
  lamp: LampPhase[] = [];
  parts: SceneParts = { zones: [], tripwires: [], signals: [], rules: [] };
  story = '';
  margin: CaseMargin | undefined;

  constructor(site: StreetSite, random: SceneRandom, durationMs: number) {
    this.site = site;
    this.random = random;
    this.durationMs = durationMs;
    this.fps =
      site.labels === undefined
        ? random.pick(FRAME_RATES)
        : durationMs >= LONG_CASE.fromMs
          ? LONG_CASE.fps
          : REAL_STREET_FPS;
  }

  /** Puts a road user on the street; what its driver leaves out is usual. */
  add(wish: UserWish): ScriptedUser {
    const label = this.#nameable(wish.label);
    const body = wish.body ?? drawBody(label, this.random, wish.riders ?? (this.random.chance(0.3) ? 2 : 1));
    const path = new GroundPath(
      this.site.start(wish.from, wish.turnedDeg ?? 0),
      wish.pieces ?? [{ lengthM: 200 }],
    );
    const motion: RoadUserMotion = driveAlong({
      startMs: 0,
      endMs: this.durationMs,
      startM: 0,
      startSpeedMps: 6,
      desiredSpeedMps: 6,
      acceleration: label === 'bus' || label === 'truck' ? 1 : 1.8,
      ...wish.drive,
      wheelBaseM: body.wheelBaseM,
      frontOverhangM: body.frontOverhangM,
    });
    const userId = this.users.length + 1;
    const user: ScriptedUser = { userId, role: wish.role ?? 'traffic', body, path, motion };
    this.users.push(user);
    return user;
  }

  /** The class itself, or one that the site can show. */
  #nameable(label: RoadUserLabel): RoadUserLabel {
    const { labels } = this.site;
    return labels === undefined || labels.includes(label) ? label : this.random.pick(labels);
  }

  /** A pixel of the street, for the scene file. */
  pixel(across: number, along: number): [x: number, y: number] {
    return this.site.pixel({ across, along });
  }

  /** A rectangle of the street as a zone of the scene. */
  zone(
    name: string,
    across: readonly [number, number],
    along: readonly [number, number],
  ): Scene['zones'][number] {
    const [left, right] = across;
    const [near, far] = along;
    return {
      name,
      polygon: [
        this.pixel(left, near),
        this.pixel(right, near),
        this.pixel(right, far),
        this.pixel(left, far),
      ],
    };
  }

  /** A speed that is kept, m/s. */
  steady(low: number, high: number): { startSpeedMps: number; desiredSpeedMps: number } {
    const value = this.random.between(low, high);
    return { startSpeedMps: value, desiredSpeedMps: value };
  }

  get world(): SceneWorld {
    const { users, lamp, durationMs, fps } = this;
    return { camera: this.site.camera.pose, users, lamp, durationMs, fps };
  }

  get subject(): ScriptedUser {
    const subject = this.users.find(({ role }) => role === 'subject');
    if (subject === undefined) throw new RangeError('The case has no subject');
    return subject;
  }
}
