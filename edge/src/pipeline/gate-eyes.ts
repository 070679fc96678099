import { NgatuError, type VisibleCamera } from '@ngatu/contract';
import type { Logger } from 'pino';
import { LatestMailbox } from '../camera/frame-mailbox.ts';
import { LiveCamera } from '../camera/live-camera.ts';
import type { Frame } from '../frame/frame.ts';
import type { Homography } from '../geometry/homography.ts';
import type { FaceFinding } from '../mask/face-decoder.ts';
import type { FaceNet } from '../mask/face-net.ts';
import type { NetworkHolder } from '../model/network-holder.ts';
import { type CanthusHint, pairByTime, placeCanthi, type VisibleFace } from '../thermal/visible-pairing.ts';
import { fitVisibleView } from '../thermal/visible-view.ts';

/** The visible camera of a gate with its secret resolved. */
export interface VisibleCameraConfig extends Omit<VisibleCamera, 'password'> {
  readonly password?: string;
}

/** The place of the network that finds the eyes. */
export type EyeModel = Pick<NetworkHolder<FaceNet>, 'use' | 'whenServing'>;

export interface GateEyesOptions {
  readonly visible: VisibleCameraConfig;
  /** Undefined where nobody looks for it. */
  readonly model: EyeModel | undefined;
  readonly clock: { nowMs(): number };
  readonly random: () => number;
  readonly logger: Logger;
}

const MAX_WIDTH = 1_280;
const MAX_FPS = 10;
const STALL_TIMEOUT_MS = 5_000;
/** A face whose eyes are believed. */
const SURE_CONFIDENCE = 0.7;
/** What may be a second face: then nobody knows whose eyes are whose. */
const OTHER_CONFIDENCE = 0.5;
/** Faces are kept for so many pictures: a second of them. */
const KEPT = 10;

/**
 * Where the visible camera beside a gate saw the eyes of the one person before it. Pictures are looked at in memory and dropped; only places
 * are kept, for a second. Without network or camera the gate finds the canthi by temperature alone, as it does without this camera.
 */
export class GateEyes {
  readonly #options: GateEyesOptions;
  readonly #view: Homography;
  #faces: VisibleFace[] = [];

  /** @throws NgatuError PROFILE_INVALID where the pairs of points do not say how the pictures lie on each other */
  constructor(options: GateEyesOptions) {
    this.#options = options;
    const view = fitVisibleView(options.visible.pairs);
    if (view === undefined)
      throw new NgatuError(
        'PROFILE_INVALID',
        'Cannot lay the visible picture over the thermal one: the pairs of points lie on a line, or contradict each other',
      );
    this.#view = view;
  }

  /** The canthi of the person at an instant of the node's clock; undefined where nobody, or more than one, was seen near it. */
  hintAt(atMs: number): CanthusHint | undefined {
    const face = pairByTime(this.#faces, atMs - this.#options.visible.lagMs);
    return face === undefined ? undefined : placeCanthi(face, this.#view);
  }

  /** Watches until `signal` aborts, as soon as there is a network. */
  async run(signal: AbortSignal): Promise<void> {
    const { visible, clock, random, logger, model } = this.#options;
    await model?.whenServing(signal);
    if (model === undefined || signal.aborted) return;
    const { url, username, password, width, height } = visible;
    const mailbox = new LatestMailbox<Frame>();
    const camera = new LiveCamera(
      {
        ...{ url, random, mailbox, lamps: [], log: logger, picture: { width, height } },
        ...(username === undefined ? {} : { username }),
        ...(password === undefined ? {} : { password }),
        stallTimeoutMs: STALL_TIMEOUT_MS,
        analysis: { maxWidth: MAX_WIDTH, maxFps: MAX_FPS },
        clock: () => clock.nowMs(),
      },
      {
        onTransition: ({ state, code }) =>
          logger.info({ state, ...(code === undefined ? {} : { code }) }, 'visible camera of the gate'),
      },
    );
    await Promise.all([camera.run(signal), this.#look(mailbox, model)]);
  }

  async #look(mailbox: LatestMailbox<Frame>, model: EyeModel): Promise<void> {
    for await (const frame of mailbox) {
      try {
        const found = await model.use((net) => net.find(frame, { minConfidence: OTHER_CONFIDENCE }));
        const eyes = findEyes(found ?? [], frame);
        if (eyes !== undefined) this.#faces = [...this.#faces, eyes].slice(-KEPT);
      } catch (error) {
        if (!(error instanceof NgatuError) || error.code !== 'MODEL_INVALID') throw error;
        this.#options.logger.error({ code: error.code }, error.message);
      }
    }
  }
}

/** The eyes of the only face of a frame, in source pixels; undefined where there is none that is sure, or a second one. */
export function findEyes(found: readonly FaceFinding[], frame: Frame): VisibleFace | undefined {
  const [face, other] = found;
  if (face === undefined || other !== undefined || face.confidence < SURE_CONFIDENCE) return undefined;
  const [one, two] = face.landmarks ?? [];
  if (one === undefined || two === undefined) return undefined;
  const scaleX = frame.sourceWidth / frame.width;
  const scaleY = frame.sourceHeight / frame.height;
  return {
    atMs: frame.capturedAtMs,
    leftEye: [one[0] * scaleX, one[1] * scaleY],
    rightEye: [two[0] * scaleX, two[1] * scaleY],
  };
}
