import type { Detection, Detector, ModelIdentity } from '../detect/detection.ts';
import type { Frame } from '../frame/frame.ts';

/**
 * One detector for all cameras of a gateway: one inference at a time, in order of asking. Each camera asks for its latest
 * frame only when its last one is done, so the line is never longer than the number of cameras and every camera
 * gets its turn.
 */
export class SharedDetector implements Detector {
  readonly model: ModelIdentity;
  readonly #detector: Detector;
  #last: Promise<unknown> = Promise.resolve();

  constructor(detector: Detector) {
    this.#detector = detector;
    this.model = detector.model;
  }

  detect(frame: Frame): Promise<Detection[]> {
    const result = this.#last.then(() => this.#detector.detect(frame));
    this.#last = result.catch(() => undefined);
    return result;
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#detector.close();
  }
}
