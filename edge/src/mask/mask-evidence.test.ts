import { describe, expect, it } from 'vitest';
import { type FaceLook, MaskEvidence } from './mask-evidence.ts';

let fingerprint = 0;
const QUALITY = { sizePx: 40, sharpness: 0.3 };
function aLook(parts: Partial<FaceLook>): FaceLook {
  fingerprint += 1;
  return { atMs: 0, maskLogit: 2, quality: QUALITY, fingerprint, ...parts };
}

function judge(looks: readonly Partial<FaceLook>[]) {
  const evidence = new MaskEvidence();
  for (const look of looks) evidence.add(aLook(look));
  return evidence.judge();
}

describe('the verdict on one person', () => {
  it('follows looks that agree', () => {
    expect(judge([{ atMs: 0 }, { atMs: 250 }])).toMatchObject({ verdict: 'with', looks: 2, meanLogit: 2 });
    expect(
      judge([
        { atMs: 0, maskLogit: -3 },
        { atMs: 250, maskLogit: -2 },
      ]).verdict,
    ).toBe('without');
  });

  it('is not given on one look, nor on several within a fifth of a second', () => {
    expect(judge([{}])).toMatchObject({ verdict: 'uncertain', doubt: 'too-few-frames' });
    expect(judge([{ atMs: 0 }, { atMs: 60 }, { atMs: 120 }])).toMatchObject({
      doubt: 'too-few-frames',
      looks: 1,
    });
  });

  it('stays the same where the same picture comes again and again', () => {
    const evidence = new MaskEvidence();
    const still = { maskLogit: 3, fingerprint: -1 };
    for (let atMs = 0; atMs < 60_000; atMs += 250) evidence.add(aLook({ ...still, atMs }));
    expect(evidence.judge()).toMatchObject({ verdict: 'uncertain', doubt: 'too-few-frames', looks: 1 });
    evidence.add(aLook({ atMs: 60_000, maskLogit: -3 }));
    evidence.add(aLook({ atMs: 60_250, maskLogit: -3 }));
    // two looks against one: not enough of them agree, however often the first was shown
    expect(evidence.judge()).toMatchObject({ verdict: 'uncertain', doubt: 'frames-disagree' });
  });

  it('does not become surer with time', () => {
    const long = Array.from({ length: 200 }, (_, at) => ({ atMs: at * 250, maskLogit: 0.9 }));
    expect(judge(long)).toMatchObject({ verdict: 'uncertain', doubt: 'unclear', looks: 64 });
  });

  it('lets no single look outvote the others, however sure the network is', () => {
    const looks = [
      { atMs: 0, maskLogit: -50 },
      ...[250, 500, 750, 1000].map((atMs) => ({ atMs, maskLogit: 2 })),
    ];
    expect(judge(looks).verdict).toBe('with');
  });

  it('weighs by size and sharpness', () => {
    const small = { sizePx: 9, sharpness: 0.1 };
    const looks = [0, 250].map((atMs) => ({ atMs, maskLogit: -3, quality: small }));
    const near = [500, 750].map((atMs) => ({ atMs, maskLogit: 3 }));
    expect(judge([...looks, ...near]).verdict).toBe('with');
  });

  it('names the most frequent reason where no look counted', () => {
    const evidence = new MaskEvidence();
    evidence.addDoubt('turned-away');
    evidence.addDoubt('too-small');
    evidence.addDoubt('turned-away');
    expect(evidence.judge()).toEqual({ verdict: 'uncertain', doubt: 'turned-away', looks: 0 });
  });
});
