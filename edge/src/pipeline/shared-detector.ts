import type { Detection, Detector, ModelIdentity } from '../detect/detection.ts';
import type { Frame } from '../frame/frame.ts';

/**
 * One detector for all cameras of a gateway: one inference at a time, in order of asking. Each camera asks for its latest
 * frame only when its last one is done, so the line is never longer than the number of cameras and every camera
 * gets its turn. It is handed out while the model still loads: cameras connect meanwhile, and their first frames wait.
 */
export class SharedDetector implements Detector {
  /** Settles when the model is loaded. @throws NgatuError FILE_UNREADABLE, MODEL_DIGEST_MISMATCH, MODEL_INVALID */
  readonly opened: Promise<void>;
  readonly #opening: Promise<Detector>;
  #model: ModelIdentity | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(opening: Promise<Detector>) {
    this.#opening = opening;
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

  detect(frame: Frame): Promise<Detection[]> {
    const result = this.#last.then(async () => {
      await this.opened;
      return (await this.#opening).detect(frame);
    });
    this.#last = result.catch(() => undefined);
    return result;
  }

  async close(): Promise<void> {
    await this.#last;
    const detector = await this.#opening.catch(() => undefined);
    await detector?.close();
  }
}
