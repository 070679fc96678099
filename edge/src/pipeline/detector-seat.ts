import {
  type ErrorCode,
  type ModelManifest,
  NgatuError,
  type NodeModel,
  type Telemetry,
} from '@ngatu/contract';
import type { Logger } from 'pino';
import type { Detector } from '../detect/detection.ts';
import { type DetectorConfig, openDetector } from '../detect/open-detector.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { loadDetectorMemory, writeDetectorMemory } from './detector-memory.ts';
import { SharedDetector } from './shared-detector.ts';

/** Finds out which detector the profile asks for now. @throws NgatuError where the profile or the model cannot be had */
export type DetectorSource = () => Promise<DetectorConfig>;

export interface DetectorSeatOptions {
  readonly site: string;
  readonly node: string;
  readonly source: DetectorSource;
  /** Remembers the last detector that worked, with the paths of its files. */
  readonly file: string;
  readonly outbox: { append(messages: Parameters<Outbox['append']>[0]): unknown };
  readonly clock: { nowMs(): number };
  readonly logger: Logger;
}

/** What is wrong with a model: then the last one that worked serves. */
const REFUSALS: readonly ErrorCode[] = [
  'MODEL_INVALID',
  'MODEL_DIGEST_MISMATCH',
  'MODEL_MANIFEST_INVALID',
  'FILE_UNREADABLE',
  'ASSET_UNKNOWN',
  'ASSET_UNAVAILABLE',
  'ASSET_DIGEST_MISMATCH',
];
/** Of a message in the state of the node. */
const MESSAGE_MAX_CHARS = 500;

/**
 * The place of the detector of road users: who sits there serves all cameras. Another one takes it only after it was verified, loaded and warmed up
 * beside the one that serves; where that fails, the one that serves stays, and log, telemetry and the state of the node say why. At the start
 * the last one that worked serves where the one of the profile cannot.
 */
export class DetectorSeat {
  readonly detector: SharedDetector;
  /** Of the model with which the seat was opened. */
  readonly manifest: ModelManifest;
  readonly #options: DetectorSeatOptions;
  #serving: DetectorConfig | undefined;
  #since: string | undefined;
  #refused: NodeModel['refused'];

  private constructor(
    options: DetectorSeatOptions,
    config: DetectorConfig,
    last: DetectorConfig | undefined,
  ) {
    this.#options = options;
    this.manifest = config.manifest;
    this.detector = new SharedDetector(this.#openFirst(config, last));
  }

  /**
   * Asks the source, and begins to load; see `SharedDetector.opened` for the end of that, which fails where no earlier detector works either.
   * @throws NgatuError of the source, where no earlier detector is remembered
   */
  static async open(options: DetectorSeatOptions): Promise<DetectorSeat> {
    const last = loadDetectorMemory(options.file, options.logger);
    try {
      return new DetectorSeat(options, await options.source(), last);
    } catch (error) {
      if (last === undefined || !isRefusal(error)) throw error;
      const seat = new DetectorSeat(options, last, undefined);
      seat.#refuse(error, undefined);
      return seat;
    }
  }

  /** What the node says about its model; undefined before one serves. */
  get state(): NodeModel | undefined {
    if (this.#since === undefined) return undefined;
    const refused = this.#refused === undefined ? {} : { refused: this.#refused };
    return { ...this.detector.model, since: this.#since, ...refused };
  }

  /** Asks the source again whenever `reloads` says so, until the signal. */
  async run(reloads: AsyncIterable<unknown>, signal: AbortSignal): Promise<void> {
    try {
      await this.detector.opened;
      for await (const _ of reloads) await this.#reload();
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #openFirst(config: DetectorConfig, last: DetectorConfig | undefined): Promise<Detector> {
    try {
      const detector = await openDetector(config);
      this.#seat(config);
      return detector;
    } catch (error) {
      if (last === undefined || isSame(config, last) || !isRefusal(error)) throw error;
      this.#refuse(error, config.manifest);
      const earlier = await openDetector(last).catch(() => {
        throw error;
      });
      this.#seat(last);
      return earlier;
    }
  }

  async #reload(): Promise<void> {
    const { logger, source } = this.#options;
    let config: DetectorConfig | undefined;
    try {
      config = await source();
      if (this.#serving === undefined || !isSame(config, this.#serving)) {
        await this.detector.replace(openDetector(config));
        this.#seat(config);
        this.#report({ metric: 'modelTaken', tags: { model: config.manifest.name } });
      }
      this.#refused = undefined;
      const { name: model, sha256 } = this.detector.model;
      logger.info({ model, sha256 }, 'the model of the profile serves');
    } catch (error) {
      if (!(error instanceof NgatuError)) throw error;
      this.#refuse(error, config?.manifest);
    }
  }

  #seat(config: DetectorConfig): void {
    const { file, clock, logger } = this.#options;
    this.#serving = config;
    this.#since = new Date(clock.nowMs()).toISOString();
    writeDetectorMemory(file, config, logger);
  }

  #refuse({ code, message }: NgatuError, manifest: ModelManifest | undefined): void {
    const { clock, logger } = this.#options;
    const model = manifest?.name;
    this.#refused = {
      ...(model === undefined ? {} : { name: model }),
      ...{ code, message: message.slice(0, MESSAGE_MAX_CHARS) },
      at: new Date(clock.nowMs()).toISOString(),
    };
    logger.error({ code, model }, `the model of the profile is not taken, the one before serves: ${message}`);
    this.#report({ metric: 'modelRefused', tags: { ...(model === undefined ? {} : { model }), code } });
  }

  #report({ metric, tags }: { readonly metric: string; readonly tags: Record<string, string> }): void {
    const { site, node, outbox, clock, logger } = this.#options;
    const at = new Date(clock.nowMs()).toISOString();
    const measurements = [{ at, metric, value: 1, tags }];
    const body: Telemetry = { schemaVersion: 1, site, node, intervals: [], measurements };
    try {
      outbox.append([{ channel: 'telemetry', body }]);
    } catch (error) {
      if (!(error instanceof NgatuError) || !error.retryable) throw error;
      logger.error({ code: error.code }, `change of the model not reported: ${error.message}`);
    }
  }
}

function isRefusal(error: unknown): error is NgatuError {
  return error instanceof NgatuError && REFUSALS.includes(error.code);
}

function isSame(a: DetectorConfig, b: DetectorConfig): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
