import { describe, expect, it } from 'vitest';
import { Cooldown } from './cooldown.ts';

describe('Cooldown', () => {
  it('cools each track for its time, up to but not at its end', () => {
    const cooldown = new Cooldown(1000);
    expect(cooldown.isCooling(1, 0)).toBe(false);
    cooldown.start(1, 500);
    expect(cooldown.isCooling(1, 1499)).toBe(true);
    expect(cooldown.isCooling(1, 1500)).toBe(false);
    expect(cooldown.isCooling(2, 600)).toBe(false);
  });

  it('still cools the others when one starts later', () => {
    const cooldown = new Cooldown(1000);
    cooldown.start(1, 0);
    cooldown.start(2, 900);
    expect(cooldown.isCooling(1, 950)).toBe(true);
    cooldown.start(3, 1000);
    expect(cooldown.isCooling(1, 1000)).toBe(false);
    expect(cooldown.isCooling(2, 1500)).toBe(true);
  });

  it('cools nothing with no duration', () => {
    const cooldown = new Cooldown(0);
    cooldown.start(1, 0);
    expect(cooldown.isCooling(1, 0)).toBe(false);
  });
});
