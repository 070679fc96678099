import { describe, expect, it } from 'vitest';
import { type Claim, matchViolations } from './violation-match.ts';
import type { ViolationTruth } from './violation-truth.ts';

const TRUTH: ViolationTruth = {
  video: 'a.mp4',
  frames: 200,
  size: [640, 480],
  events: [
    { id: 'R1', kind: 'RED_LIGHT', frame: 30, x: 200, y: 340 },
    { id: 'R2', kind: 'RED_LIGHT', frame: 34, x: 300, y: 340 },
  ],
  stop_line_only: [{ id: 'S1', kind: 'STOP_LINE', frame: 60, x: 250, y: 370 }],
  ambiguous_ignore: [
    { id: 'A1', kind: 'STOP_LINE/RED_LIGHT', frame: 100, x: 400, y: 350 },
    { id: 'A2', kind: 'any', frame_range: [150, 190] },
  ],
};
const timeOf = (frame: number): number => frame * 160;

function aClaim(kind: string, frame: number, x: number, y: number): Claim {
  return {
    kind,
    frameIndex: frame,
    timeMs: timeOf(frame),
    groundPoint: [x, y],
    boxHeight: 80,
    text: `${kind} ${frame}`,
  };
}

const ids = (events: readonly { id?: string | number }[]): unknown[] => events.map(({ id }) => id);

describe('matchViolations', () => {
  it('matches each event once, by time and place', () => {
    const claims = [aClaim('RED_LIGHT', 33, 205, 338), aClaim('RED_LIGHT', 34, 302, 341)];
    const outcome = matchViolations('RED_LIGHT', claims, TRUTH, timeOf);
    expect(outcome.matched.map(({ truth, delayMs }) => [truth.id, delayMs])).toEqual([
      ['R2', 0],
      ['R1', 480],
    ]);
    expect(outcome.wrong).toEqual([]);
    expect(outcome.missed).toEqual([]);
  });

  it('takes a second claim of the same event for wrong', () => {
    const claims = [aClaim('RED_LIGHT', 30, 200, 340), aClaim('RED_LIGHT', 31, 201, 340)];
    const outcome = matchViolations('RED_LIGHT', claims, TRUTH, timeOf);
    expect(outcome.matched).toHaveLength(1);
    expect(outcome.wrong).toHaveLength(1);
    expect(ids(outcome.missed)).toEqual(['R2']);
  });

  it.each([
    ['too late', aClaim('RED_LIGHT', 44, 300, 340)],
    ['elsewhere', aClaim('RED_LIGHT', 34, 370, 340)],
    ['of another kind', aClaim('STOP_LINE', 34, 300, 340)],
  ])('does not match a claim %s', (_why, claim) => {
    const outcome = matchViolations('RED_LIGHT', [claim], TRUTH, timeOf);
    expect(outcome.matched).toEqual([]);
    expect(ids(outcome.missed)).toEqual(['R1', 'R2']);
  });

  it('leaves open cases out, near in time and place or within their range', () => {
    const claims = [
      aClaim('RED_LIGHT', 101, 405, 352),
      aClaim('RED_LIGHT', 170, 20, 300),
      aClaim('RED_LIGHT', 101, 100, 352),
    ];
    const outcome = matchViolations('RED_LIGHT', claims, TRUTH, timeOf);
    expect(outcome.ignored).toEqual(claims.slice(0, 2));
    expect(outcome.wrong).toEqual(claims.slice(2));
  });
});
