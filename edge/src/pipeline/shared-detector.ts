import type { Detection, Detector, ModelIdentity, RoadPart } from '../detect/detection.ts';
import type { Frame } from '../frame/frame.ts';

/**
 * One detector for all cameras of a gateway: one inference at a time, in order of asking. Each camera asks for its latest
 * frame only when its last one is done, so the line is never longer than the number of cameras and every camera
 * gets its turn. It is handed out while the model still loads: cameras connect meanwhile, and their first frames wait.
 */
export class SharedDetector implements Detector {
  /** Settles when the first model is loaded. @throws NgatuError FILE_UNREADABLE, MODEL_DIGEST_MISMATCH, MODEL_INVALID */
  readonly opened: Promise<void>;
  #serving: Promise<Detector>;
  #model: ModelIdentity | undefined;
  #isClosed = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor(opening: Promise<Detector>) {
    this.#serving = opening;
    this.opened = opening.then(({ model }) => {
      this.#model = model;
    });
    // whoever awaits `opened` hears of a failure; that nobody does yet must not end the process
    this.opened.catch(() => undefined);
  }

  /** Known from the first finding on. @throws RangeError before the model is loaded */
  get model(): ModelIdentity {
    if (this.#model === undefined) throw new RangeError('the model is not loaded yet');
    return this.#model;
  }

  detect(frame: Frame, parts?: RoadPart[]): Promise<Detection[]> {
    return this.#queue(async () => {
      await this.opened;
      return (await this.#serving).detect(frame, parts);
    });
  }

  /**
   * Puts another detector in the place of the one that serves, between two frames, and closes the old one. Until `opening` is there
   * the old one serves on; where `opening` fails, nothing changes and its error is thrown.
   */
  async replace(opening: Promise<Detector>): Promise<void> {
    const next = await opening;
    await this.#queue(async () => {
      if (this.#isClosed) return next.close();
      const before = await this.#serving.catch(() => undefined);
      this.#serving = Promise.resolve(next);
      this.#model = next.model;
      await before?.close();
    });
  }

  close(): Promise<void> {
    return this.#queue(async () => {
      if (this.#isClosed) return;
      this.#isClosed = true;
      const detector = await this.#serving.catch(() => undefined);
      await detector?.close();
    });
  }

  #queue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
