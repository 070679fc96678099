import { type ErrorCode, type ModelManifest, NgatuError, type NodeModel } from '@ngatu/contract';
import type { Detector } from '../detect/detection.ts';
import { type DetectorConfig, openDetector } from '../detect/open-detector.ts';
import { loadDetectorMemory, writeDetectorMemory } from './detector-memory.ts';
import { ModelRecord, type ModelTelling } from './model-record.ts';
import { isSame, ModelSeat, type Reloadable } from './model-seat.ts';
import { SharedDetector } from './shared-detector.ts';

/** Finds out which detector the profile asks for now. @throws NgatuError where the profile or the model cannot be had */
export type DetectorSource = () => Promise<DetectorConfig>;

export interface DetectorSeatOptions extends ModelTelling {
  readonly source: DetectorSource;
  /** Remembers the last detector that worked, with the paths of its files. */
  readonly file: string;
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

/**
 * The place of the detector of road users: who sits there serves all cameras; see `ModelSeat`. At the start the last one that worked serves where
 * the one of the profile cannot.
 */
export class DetectorSeat implements Reloadable {
  readonly detector: SharedDetector;
  /** Of the model with which the seat was opened. */
  readonly manifest: ModelManifest;
  readonly #options: DetectorSeatOptions;
  readonly #record: ModelRecord;
  readonly #seat: ModelSeat<DetectorConfig>;

  private constructor(
    options: DetectorSeatOptions,
    config: DetectorConfig,
    last: DetectorConfig | undefined,
  ) {
    this.#options = options;
    this.manifest = config.manifest;
    this.#record = new ModelRecord(options);
    this.#seat = new ModelSeat<DetectorConfig>({
      record: this.#record,
      place: async (next) => {
        await this.detector.replace(openDetector(next));
        this.#remember(next);
      },
      identify: ({ manifest, file }) => ({ name: manifest.name, sha256: file.sha256 }),
    });
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
      seat.#record.refuse(error, undefined);
      return seat;
    }
  }

  get opened(): Promise<void> {
    return this.detector.opened;
  }

  /** What the node says about its model; undefined before one serves. */
  get state(): NodeModel | undefined {
    const { name, sha256, since, refused } = this.#record.state ?? {};
    if (name === undefined || sha256 === undefined || since === undefined) return undefined;
    return { name, sha256, since, ...(refused === undefined ? {} : { refused }) };
  }

  /** Asks the source again. */
  reload(): Promise<void> {
    return this.#seat.ask(this.#options.source);
  }

  async #openFirst(config: DetectorConfig, last: DetectorConfig | undefined): Promise<Detector> {
    try {
      return await this.#openOne(config);
    } catch (error) {
      if (last === undefined || isSame(config, last) || !isRefusal(error)) throw error;
      this.#record.refuse(error, config.manifest.name);
      return await this.#openOne(last).catch(() => {
        throw error;
      });
    }
  }

  async #openOne(config: DetectorConfig): Promise<Detector> {
    const detector = await openDetector(config);
    this.#seat.accept(config);
    this.#remember(config);
    return detector;
  }

  #remember(config: DetectorConfig): void {
    writeDetectorMemory(this.#options.file, config, this.#options.logger);
  }
}

function isRefusal(error: unknown): error is NgatuError {
  return error instanceof NgatuError && REFUSALS.includes(error.code);
}
