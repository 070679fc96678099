import { drawLampHead, pasteCutout } from './compositor.ts';
import type { Cutout } from './cutout.ts';
import { mirrorCutout } from './cutout.ts';
import { GroundCamera, type PictureBox } from './ground-camera.ts';
import type { Picture } from './picture-stream.ts';
import type { SceneCase } from './scene-case.ts';
import { SceneRandom } from './scene-random.ts';
import { computeFrameTruth, type FrameTruth, type UserTruth } from './scene-world.ts';
import { type Weather, WeatherLook } from './weather.ts';

/** A road user as it was drawn: its box is that of the cutout, not cut at the picture's edge. */
export interface RenderedUser extends UserTruth {
  readonly drawnBox: PictureBox;
}

export interface RenderedFrame {
  readonly picture: Picture;
  readonly truth: FrameTruth;
  readonly users: readonly RenderedUser[];
}

/** A cutout may be turned from the user's own direction by so much, degrees; a better one is always taken first. */
const GOOD_TURN_DEG = 35;

/**
 * Draws the pictures of a case over a real background with real road users. The case must lie on the street of the background.
 * @throws RangeError where there is no cutout of a class that the case shows
 */
export class SceneRenderer {
  readonly #scene: SceneCase;
  readonly #background: Picture;
  readonly #camera: GroundCamera;
  readonly #look: WeatherLook;
  readonly #random: SceneRandom;
  readonly #worn = new Map<number, Cutout>();
  readonly #cutouts: readonly Cutout[];

  constructor(
    scene: SceneCase,
    options: { background: Picture; cutouts: readonly Cutout[]; weather: Weather },
  ) {
    this.#scene = scene;
    this.#background = options.background;
    this.#camera = new GroundCamera(scene.world.camera);
    this.#random = new SceneRandom(scene.seed + 0x5ce4e);
    this.#look = new WeatherLook(options.weather, this.#random.fork());
    this.#cutouts = options.cutouts.flatMap((cutout) => [cutout, mirrorCutout(cutout)]);
    this.#dress();
  }

  get frameCount(): number {
    return Math.floor((this.#scene.world.durationMs * this.#scene.world.fps) / 1000);
  }

  /** The frame of an index; frames are drawn in order. The caller owns its picture. */
  render(index: number): RenderedFrame {
    const { width, height, pixels } = this.#background;
    const picture: Picture = { width, height, pixels: new Uint8Array(pixels) };
    const truth = computeFrameTruth(this.#scene.world, this.#camera, index);
    // the truth is sorted from near to far
    const users = truth.users.toReversed().map((user): RenderedUser => {
      const cutout = this.#worn.get(user.userId);
      if (cutout === undefined) throw new RangeError(`Road user ${user.userId} has no cutout`);
      const drawnBox = fitBox(user.wholeBox, cutout);
      pasteCutout(picture, cutout, drawnBox);
      return { ...user, drawnBox };
    });
    const head = this.#scene.scene.signals[0];
    if (head !== undefined && truth.lamp !== undefined)
      drawLampHead(picture, head.box, truth.lamp.state, this.#random);
    this.#look.apply(picture);
    return { picture, truth, users };
  }

  /** Gives everybody a cutout for good, chosen by where it heads when it is nearest to the middle of the picture. */
  #dress(): void {
    const headings = new Map<number, { headingDeg: number; away: number; label: string }>();
    for (let index = 0; index < this.frameCount; index += 4) {
      for (const user of computeFrameTruth(this.#scene.world, this.#camera, index).users) {
        const [x, y] = user.rear;
        const away = Math.hypot(x - this.#background.width / 2, y - this.#background.height / 2);
        if (away >= (headings.get(user.userId)?.away ?? Number.POSITIVE_INFINITY)) continue;
        const headingDeg = (Math.atan2(user.front[1] - y, user.front[0] - x) * 180) / Math.PI;
        headings.set(user.userId, { headingDeg, away, label: user.label });
      }
    }
    for (const user of this.#scene.world.users) {
      const heading = headings.get(user.userId)?.headingDeg ?? 0;
      this.#worn.set(user.userId, this.#choose(user.body.label, heading));
    }
  }

  #choose(label: string, headingDeg: number): Cutout {
    const own = this.#cutouts
      .filter((cutout) => cutout.label === label)
      .map((cutout) => ({ cutout, turn: turnBetween(cutout.headingDeg, headingDeg) }))
      .sort((a, b) => a.turn - b.turn);
    const good = own.filter(({ turn }) => turn <= GOOD_TURN_DEG);
    const [best] = own;
    if (best === undefined) throw new RangeError(`There is no cutout of a ${label}`);
    return good.length === 0 ? best.cutout : this.#random.pick(good).cutout;
  }
}

function turnBetween(a: number, b: number): number {
  return Math.abs(((((a - b + 180) % 360) + 360) % 360) - 180);
}

/** As high as the road user, as wide as the cutout's shape says, on the same spot. */
function fitBox([x1, y1, x2, y2]: PictureBox, cutout: Cutout): PictureBox {
  const half = ((y2 - y1) * cutout.width) / cutout.height / 2;
  const middle = (x1 + x2) / 2;
  return [middle - half, y1, middle + half, y2];
}
