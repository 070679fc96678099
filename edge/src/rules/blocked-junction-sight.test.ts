import { describe, expect, it } from 'vitest';
import type { Box } from '../geometry/box.ts';
import { aFrameMark } from '../testing/builder.ts';
import { WholeBoxMemory } from './blocked-junction-sight.ts';
import type { Observation } from './rule.ts';

/** Comes towards the camera: its wheels at `bottom`, 0.6 of what they are below the horizon (y = 100) high. */
const coming = (bottom: number): Box => {
  const height = 0.6 * (bottom - 100);
  return [300 - height / 2, bottom - height, 300 + height / 2, bottom];
};
const sight = (atMs: number, box: Box, groundSeen = true): Observation => ({
  frame: aFrameMark({ mediaTimeMs: atMs }),
  box,
  groundSeen,
  confidence: 0.8,
  occupants: [],
});

/** Takes it in full up to wheels at y = 300, from where on its lower half is covered. */
function approach(): WholeBoxMemory {
  const memory = new WholeBoxMemory();
  for (let step = 0; step <= 20; step++) memory.take(sight(100 * step, coming(240 + 3 * step)));
  return memory;
}

describe('WholeBoxMemory', () => {
  it('knows where covered wheels are, within its bound and what may pass for standing', () => {
    const memory = approach();
    for (let step = 1; step <= 10; step++) {
      const [x1, y1, x2, y2] = coming(300 + 3 * step);
      const whole = memory.take(sight(2000 + 100 * step, [x1, y1, x2, (y1 + y2) / 2], false));
      const { box, hiddenErrorPx = 0 } = whole ?? {};
      if (step > 5) expect(hiddenErrorPx).toBeGreaterThan(0);
      expect(Math.abs((box?.[3] ?? 0) - y2)).toBeLessThan(hiddenErrorPx + 0.12 * (y2 - y1));
    }
  });

  it('says that who is covered where it stands has not moved, also where a side is covered', () => {
    const memory = approach();
    const [x1, y1, x2] = coming(300);
    expect(memory.take(sight(2100, [x1 + 1, y1 - 1, x2, y1 + 60], false))?.box).toEqual(coming(300));
    expect(memory.take(sight(2200, [x1 + 50, y1, x2, y1 + 60], false))?.box).toEqual(coming(300));
  });

  it('says nothing of who was never seen in full', () => {
    expect(new WholeBoxMemory().take(sight(0, coming(300), false))).toBeUndefined();
  });
});
