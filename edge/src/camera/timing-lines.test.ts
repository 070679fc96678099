import { describe, expect, it } from 'vitest';
import { TimingLines } from './timing-lines.ts';

const line = (frame: number, pts: number | string, key: string) =>
  `frame:${frame}    pts:${pts}  pts_time:0\n${key}=1\n`;

describe('TimingLines', () => {
  it('numbers source frames itself and returns the analysed ones, however the bytes are split', () => {
    const text =
      line(0, 0, 's') + line(0, 0, 'a') + line(1, 33_367, 's') + line(0, 66_733, 's') + line(1, 66_733, 'a');
    const lines = new TimingLines();
    const timings = [...text].flatMap((character) => lines.push(character));
    expect(timings).toEqual([
      { index: 0, mediaTimeMs: 0 },
      { index: 2, mediaTimeMs: 66.733 },
    ]);
    expect(lines.sourceFrames).toBe(3);
  });

  it.each([
    ['no time', line(0, 'NOPTS', 's'), /without presentation time/],
    ['another line', 'frame:0    pts:0  pts_time:0\nx=1\n', /unknown timing line/],
    ['a key first', 's=1\n', /without frame/],
    ['an endless line', 'x'.repeat(300), /without end/],
  ])('refuses %s', (_, text, message) => {
    expect(() => new TimingLines().push(text)).toThrow(message);
  });
});
