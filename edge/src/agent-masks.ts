import { setTimeout as sleep } from 'node:timers/promises';
import {
  errorMessage,
  type MaskProfile,
  type Measurement,
  NgatuError,
  type Telemetry,
} from '@ngatu/contract';
import type { Logger } from 'pino';
import type { MaskNetworks } from './agent-networks.ts';
import { LatestMailbox } from './camera/frame-mailbox.ts';
import { LiveCamera } from './camera/live-camera.ts';
import type { Frame } from './frame/frame.ts';
import type { FaceNet } from './mask/face-net.ts';
import type { FaceSight } from './mask/face-sight.ts';
import { describeWindow, MaskTally } from './mask/mask-tally.ts';
import { composeSight, FACE_SIGHTS, PRODUCT_SIGHT } from './mask/open-sight.ts';
import { type MaskEvidenceParts, MaskIncidents } from './pipeline/mask-incident.ts';
import { MaskWatch, type WatchedPerson } from './pipeline/mask-watch.ts';

/** A camera on which mask wearing is watched. Secrets are resolved. */
export interface MaskCamera {
  readonly name: string;
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  readonly stallTimeoutMs: number;
  readonly picture: { readonly width: number; readonly height: number };
  readonly sceneSha256: string;
  readonly masks: MaskProfile;
}

/** What the watch for masks runs. */
export interface MaskConfig {
  readonly cameras: readonly MaskCamera[];
}

export interface MaskDeps {
  readonly site: string;
  readonly node: string;
  readonly version: string;
  /** Of `MASK_ASSETS`. */
  readonly networks: MaskNetworks;
  readonly outbox: MaskEvidenceParts['outbox'];
  /** What makes the pictures of incidents. */
  readonly evidence: Omit<MaskEvidenceParts, 'outbox'>;
  readonly clock: { nowMs(): number };
  readonly random: () => number;
  readonly logger: Logger;
}

/** The assets that the watch for masks needs. */
export const MASK_ASSETS: readonly string[] = FACE_SIGHTS[PRODUCT_SIGHT].assets;

const REPORT_EVERY_MS = 5_000;
/** Rest of the networks, as a share of the time that they worked: all cameras together take half of one core at most. */
const REST_SHARE = 1;
/** Measurements that wait while the disk is full, at most; then the oldest are given up, and counted in the log. */
const MAX_WAITING = 400;

/**
 * Watches mask wearing on the cameras whose profile asks for it, each over a connection of its own at a low rate, and reports counts of
 * people for each window as telemetry of the camera: no picture, no box and no identity leave this function, but for the incidents that
 * the profile of a camera may ask for. Cameras share one set of networks, and take turns.
 * It begins when all its networks serve; until then the gateway does the rest of its work. Failures of a camera are tried again.
 */
export async function runMasks(config: MaskConfig, deps: MaskDeps, signal: AbortSignal): Promise<void> {
  if (config.cameras.length === 0) return;
  const { places } = deps.networks;
  await Promise.all(places.map((place) => place.whenServing(signal)));
  if (signal.aborted) return;
  const sight = composeSight(PRODUCT_SIGHT, places.map(sitIn));
  deps.logger.info(
    { networks: sight.label, cameras: config.cameras.map(({ name }) => name) },
    'watching masks',
  );
  const turns = new SightTurns(sight, signal);
  await Promise.all(config.cameras.map((camera) => new MaskCameraWorker(camera, turns, deps).run(signal)));
}

/** Whoever serves in a place; who put it there closes it. */
function sitIn(place: MaskNetworks['places'][number]): FaceNet {
  return {
    label: place.serving?.label ?? '',
    find: async (...parts) => (await place.use((net) => net.find(...parts))) ?? [],
    close: () => Promise.resolve(),
  };
}

/**
 * One call at a time, in the order of asking, with a rest after each: safety rules keep the processor. Where the networks are asked for more
 * than that, fewer pictures are looked at, the latest first.
 */
class SightTurns implements FaceSight {
  readonly label: string;
  readonly candidateConfidence: number;
  readonly sureConfidence: number;
  readonly #sight: FaceSight;
  readonly #signal: AbortSignal;
  #last: Promise<unknown> = Promise.resolve();

  constructor(sight: FaceSight, signal: AbortSignal) {
    this.label = sight.label;
    this.candidateConfidence = sight.candidateConfidence;
    this.sureConfidence = sight.sureConfidence;
    this.#sight = sight;
    this.#signal = signal;
  }

  find(...parts: Parameters<FaceSight['find']>): ReturnType<FaceSight['find']> {
    return this.#queue(() => this.#sight.find(...parts));
  }

  judge(...parts: Parameters<FaceSight['judge']>): ReturnType<FaceSight['judge']> {
    return this.#queue(() => this.#sight.judge(...parts));
  }

  close(): Promise<void> {
    return this.#queue(() => this.#sight.close());
  }

  #queue<T>(call: () => Promise<T>): Promise<T> {
    let startedAt = 0;
    const turn = this.#last.then(() => {
      startedAt = performance.now();
      return call();
    });
    // the next in line does not care how this one ended; whoever asked does
    const ended = turn.then(
      () => undefined,
      () => undefined,
    );
    this.#last = ended.then(() => this.#rest((performance.now() - startedAt) * REST_SHARE));
    return turn;
  }

  async #rest(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#signal }).catch(() => undefined);
  }
}

class MaskCameraWorker {
  readonly #camera: MaskCamera;
  readonly #deps: MaskDeps;
  readonly #logger: Logger;
  readonly #mailbox = new LatestMailbox<Frame>();
  readonly #watch: MaskWatch;
  readonly #tally: MaskTally;
  readonly #incidents: MaskIncidents | undefined;
  #waiting: Measurement[] = [];
  #failure: { readonly error: unknown } | undefined;

  constructor(camera: MaskCamera, sight: FaceSight, deps: MaskDeps) {
    this.#camera = camera;
    this.#deps = deps;
    this.#logger = deps.logger.child({ camera: camera.name, task: 'masks' });
    const { minFacePx, windowMs, incidents: policy } = camera.masks;
    this.#watch = new MaskWatch({ sight, limits: { minFacePx }, keepsPictures: policy !== undefined });
    this.#tally = new MaskTally(windowMs);
    const { site, node, version, networks, outbox, evidence, clock } = deps;
    this.#incidents =
      policy === undefined
        ? undefined
        : new MaskIncidents({
            ...{ site, node, version, outbox, ...evidence, clock, policy, logger: this.#logger },
            ...{ camera: camera.name, sceneSha256: camera.sceneSha256 },
            models: () => networks.listModels(),
          });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { url, username, password, stallTimeoutMs, picture, masks } = this.#camera;
    const { clock, random } = this.#deps;
    const live = new LiveCamera(
      {
        ...{ url, stallTimeoutMs, picture, random, lamps: [] },
        ...(username === undefined ? {} : { username }),
        ...(password === undefined ? {} : { password }),
        analysis: { maxWidth: masks.maxWidth, maxFps: masks.maxFps },
        mailbox: this.#mailbox,
        clock: () => clock.nowMs(),
        log: this.#logger,
      },
      { onTransition: () => undefined },
    );
    await Promise.all([live.run(signal), this.#look(signal), this.#reportRegularly(signal)]);
    await this.#incidents?.settle();
    for (const person of this.#watch.finish()) this.#tally.addPerson({ ...person, atMs: person.lastSeenMs });
    this.#waiting.push(...this.#tally.finish(this.#deps.clock.nowMs()).flatMap(describeWindow));
    this.#report();
  }

  async #look(signal: AbortSignal): Promise<void> {
    for await (const frame of this.#mailbox) {
      if (this.#failure !== undefined) throw this.#failure.error;
      try {
        const { counted } = await this.#watch.process(frame);
        this.#tally.addFrame(frame.capturedAtMs);
        for (const person of counted) {
          this.#tally.addPerson({ ...person, atMs: frame.capturedAtMs });
          this.#offer(person, signal);
        }
      } catch (error) {
        if (!(error instanceof NgatuError) || error.code !== 'MODEL_INVALID') throw error;
        this.#logger.error({ code: error.code }, error.message);
      }
    }
  }

  /** Counting does not wait for pictures; what the code gets wrong is thrown with the next one. */
  #offer(person: WatchedPerson, signal: AbortSignal): void {
    void this.#incidents?.offer(person, signal).catch((error: unknown) => {
      if (!signal.aborted) this.#failure ??= { error };
    });
  }

  async #reportRegularly(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(REPORT_EVERY_MS, undefined, { signal }).catch(() => undefined);
      this.#waiting.push(...this.#tally.cut(this.#deps.clock.nowMs()).flatMap(describeWindow));
      this.#report();
    }
  }

  #report(): void {
    const excess = this.#waiting.length - MAX_WAITING;
    if (excess > 0) {
      this.#waiting.splice(0, excess);
      this.#logger.error({ measurements: excess }, 'counts of masks given up: no space');
    }
    if (this.#waiting.length === 0) return;
    const { site, node, outbox } = this.#deps;
    const body: Telemetry = {
      ...{ schemaVersion: 1, site, node, camera: this.#camera.name },
      ...{ intervals: [], measurements: this.#waiting },
    };
    try {
      outbox.append([{ channel: 'telemetry', body }]);
      this.#waiting = [];
    } catch (error) {
      const isFull =
        error instanceof NgatuError && (error.code === 'DISK_FULL' || error.code === 'OUTBOX_FULL');
      if (!isFull) throw error;
      this.#logger.error({ code: error.code }, `counts of masks wait: ${errorMessage(error)}`);
    }
  }
}
