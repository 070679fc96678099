import { NgatuError } from '@ngatu/contract';
import { describe, expect, it } from 'vitest';
import type { Detection, Detector } from '../detect/detection.ts';
import type { Frame } from '../frame/frame.ts';
import { aDetection } from '../testing/builder.ts';
import { SharedDetector } from './shared-detector.ts';

const FRAME = { session: 's', index: 0 } as Frame;
const MODEL = { name: 'm', sha256: '0'.repeat(64) };

class CountingDetector implements Detector {
  readonly model = MODEL;
  running = 0;
  mostAtOnce = 0;
  closed = false;

  async detect(): Promise<Detection[]> {
    this.running += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.running);
    await Promise.resolve();
    this.running -= 1;
    return [aDetection()];
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

describe('SharedDetector', () => {
  it('lets the frames that came while the model loaded wait, and runs them one at a time', async () => {
    const detector = new CountingDetector();
    let finish: (detector: Detector) => void = () => undefined;
    const shared = new SharedDetector(
      new Promise((resolve) => {
        finish = resolve;
      }),
    );
    expect(() => shared.model).toThrow(RangeError);
    const waiting = [shared.detect(FRAME), shared.detect(FRAME), shared.detect(FRAME)];
    finish(detector);
    expect((await Promise.all(waiting)).map((found) => found.length)).toEqual([1, 1, 1]);
    expect(detector.mostAtOnce).toBe(1);
    expect(shared.model).toEqual(MODEL);
    await shared.close();
    expect(detector.closed).toBe(true);
  });

  it('tells every asker of a model that cannot be loaded, and still closes', async () => {
    const broken = new NgatuError('MODEL_INVALID', 'Cannot load model "m"');
    const shared = new SharedDetector(Promise.reject(broken));
    await expect(shared.detect(FRAME)).rejects.toBe(broken);
    await expect(shared.opened).rejects.toBe(broken);
    await shared.close();
  });
});
