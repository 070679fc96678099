import { describe, expect, it } from 'vitest';
import { forAll } from '../testing/seeded-random.ts';
import { SequentialVote } from './sequential-vote.ts';

const OPTIONS = { innocentShare: 0.2, guiltyShare: 0.7, alpha: 0.01, spacingMs: 100 };

describe('SequentialVote', () => {
  it('convicts no more innocents than alpha', () => {
    let convicted = 0;
    forAll(1000, (random) => {
      const vote = new SequentialVote(OPTIONS);
      for (let i = 0; i < 200 && !vote.isDecided; i++) vote.add(random.next() < 0.2, 100 * i);
      if (vote.isDecided) convicted += 1;
    });
    // the seeds are fixed; 2.5 standard errors of a share of 1 % in 1,000
    expect(convicted / 1000).toBeLessThanOrEqual(OPTIONS.alpha + 0.008);
  });

  it('decides on the guilty, and says by how many votes', () => {
    const vote = new SequentialVote(OPTIONS);
    for (let i = 0; !vote.isDecided; i++) vote.add(true, 100 * i);
    // ln(100) / ln(0.7 / 0.2) = 3.7
    expect(vote).toMatchObject({ votes: 4, votesFor: 4 });
  });

  it('takes one vote in a spacing, so that no frame rate counts more', () => {
    const vote = new SequentialVote(OPTIONS);
    expect([0, 40, 80, 120, 160, 240].map((atMs) => vote.add(true, atMs))).toEqual([
      true,
      false,
      false,
      true,
      false,
      true,
    ]);
  });
});
