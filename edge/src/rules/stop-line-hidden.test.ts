import { describe, expect, it } from 'vitest';
import { aFrameMark, anObservation } from '../testing/builder.ts';
import { HiddenGround } from './stop-line-hidden.ts';

const sight = (mediaTimeMs: number, top: number, height: number, groundSeen: boolean) =>
  anObservation({ frame: aFrameMark({ mediaTimeMs }), box: [300, top, 340, top + height], groundSeen });

describe('HiddenGround', () => {
  it('leaves a sight with the wheels in view as it is', () => {
    const hidden = new HiddenGround();
    expect(hidden.take(sight(0, 200, 84, true))).toEqual({ box: [300, 200, 340, 284], hiddenErrorPx: 0 });
  });

  it('lays the wheels as far below the upper edge as they were when they were seen', () => {
    const hidden = new HiddenGround();
    for (let i = 0; i < 6; i++) hidden.take(sight(160 * i, 200 - i, 84, true));
    const { box, hiddenErrorPx } = hidden.take(sight(1000, 194, 40, false));
    expect(box).toEqual([300, 194, 340, 278]);
    expect(hiddenErrorPx).toBeGreaterThan(2);
    expect(hiddenErrorPx).toBeLessThan(4);
  });

  it('takes the width that was seen too: a rider alone is narrower', () => {
    const hidden = new HiddenGround();
    for (let i = 0; i < 4; i++) hidden.take(sight(160 * i, 200, 84, true));
    const narrow = anObservation({
      frame: aFrameMark({ mediaTimeMs: 700 }),
      box: [310, 200, 330, 250],
      groundSeen: false,
    });
    expect(hidden.take(narrow).box).toEqual([300, 200, 340, 284]);
  });

  it('is less sure the further the upper edge moved since', () => {
    const hidden = new HiddenGround();
    for (let i = 0; i < 4; i++) hidden.take(sight(160 * i, 200, 84, true));
    const near = hidden.take(sight(700, 199, 40, false)).hiddenErrorPx;
    const far = hidden.take(sight(900, 150, 40, false)).hiddenErrorPx;
    expect(far).toBeGreaterThan(2 * near);
  });

  it('does not trust sizes of long before, nor one or two of them', () => {
    const hidden = new HiddenGround();
    const unknown = { box: [300, 200, 340, 240], hiddenErrorPx: 0.12 * 40 };
    expect(hidden.take(sight(0, 200, 40, false))).toEqual(unknown);
    hidden.take(sight(100, 200, 84, true));
    hidden.take(sight(200, 200, 84, true));
    expect(hidden.take(sight(300, 200, 40, false))).toEqual(unknown);
    hidden.take(sight(9000, 200, 84, true));
    expect(hidden.take(sight(9100, 200, 40, false))).toEqual(unknown);
  });
});
