import { type Directive, EVENT_KINDS, type EventKind, LET_PASS_REASONS } from '@ngatu/contract';
import { describe, expect, it } from 'vitest';
import { aFrameMark, anObservation, SESSION_START_MS } from '../testing/builder.ts';
import { forAll } from '../testing/seeded-random.ts';
import { applyDirectives, excuse, judgePhase } from './exculpation.ts';
import type { RuleMatch, SignalView } from './rule.ts';

function aMatch(kind: EventKind, mediaTimeMs = 5000): RuleMatch {
  return {
    rule: 'rule',
    kind,
    trackId: 1,
    label: 'motorbike',
    observation: anObservation({ frame: aFrameMark({ mediaTimeMs }) }),
    alternatives: [],
    measures: {},
    explanation: { vi: 'Vì sao', en: 'Why' },
  };
}

function aDirective(kind: Directive['kind'], fromMs = 0, untilMs = 60_000): Directive {
  return {
    directiveId: `di-${'0'.repeat(32)}`,
    camera: 'camera',
    kind,
    from: new Date(SESSION_START_MS + fromMs).toISOString(),
    until: new Date(SESSION_START_MS + untilMs).toISOString(),
    reason: 'declared in a test',
  };
}

/** The directives in force at an instant, as the part that keeps them looks them up. */
const lookup = (directives: readonly Directive[]) => (atMs: number) =>
  directives.filter(({ from, until }) => Date.parse(from) <= atMs && atMs < Date.parse(until));

describe('applyDirectives', () => {
  const reasonsOf = (kind: EventKind, directives: readonly Directive[], atMs?: number) =>
    applyDirectives([aMatch(kind, atMs)], lookup(directives)).map(({ letPass }) => letPass?.reason);

  it('changes nothing without a directive', () => {
    const matches = EVENT_KINDS.map((kind) => aMatch(kind));
    expect(applyDirectives(matches, () => [])).toEqual(matches);
  });

  it('lets pass what an officer commands, and not what he has no say in', () => {
    const officer = [aDirective('officer-directing')];
    for (const kind of ['RED_LIGHT', 'STOP_LINE', 'WRONG_WAY', 'FORBIDDEN_TURN'] as const)
      expect(reasonsOf(kind, officer), kind).toEqual(['officer-directing']);
    for (const kind of ['SPEED', 'NO_HELMET', 'OVERLOADED'] as const)
      expect(reasonsOf(kind, officer), kind).toEqual([undefined]);
  });

  it('lets pass what makes way for an emergency vehicle; its reason goes first', () => {
    const both = [aDirective('officer-directing'), aDirective('emergency-passage')];
    expect(reasonsOf('RED_LIGHT', both)).toEqual(['emergency-vehicle']);
    expect(reasonsOf('SPEED', both)).toEqual(['emergency-vehicle']);
    expect(reasonsOf('NO_HELMET', both)).toEqual([undefined]);
  });

  it('asks for the instant of the violation, to the millisecond', () => {
    const window = [aDirective('officer-directing', 5000, 6000)];
    expect(reasonsOf('RED_LIGHT', window, 4999)).toEqual([undefined]);
    expect(reasonsOf('RED_LIGHT', window, 5000)).toEqual(['officer-directing']);
    expect(reasonsOf('RED_LIGHT', window, 5999)).toEqual(['officer-directing']);
    expect(reasonsOf('RED_LIGHT', window, 6000)).toEqual([undefined]);
  });

  it('keeps nothing while the rules are suspended', () => {
    for (const kind of EVENT_KINDS) expect(reasonsOf(kind, [aDirective('rules-suspended')])).toEqual([]);
  });
});

describe('judgePhase', () => {
  const passing = (atMs: number, error: number) => ({
    index: 1,
    atMs,
    earliestMs: atMs - error,
    latestMs: atMs + error,
  });
  const red = (parts: Partial<SignalView> = {}): SignalView => ({
    state: 'red',
    sinceMs: 10_000,
    confidence: 0.9,
    onsetSeen: true,
    ...parts,
  });
  const judge = (rearMs: number, frontMs: number, signal: SignalView, error = 50) =>
    judgePhase(
      {
        signal: 'main',
        decisive: passing(rearMs, error),
        front: passing(frontMs, error),
        graceMs: 300,
        maxPhaseMs: 300_000,
      },
      (_, atMs) => (atMs >= signal.sinceMs ? signal : { ...signal, state: 'green', sinceMs: 0 }),
    );

  it('never flags while the bounds leave a legal reading, whatever the times', () => {
    forAll(500, (random) => {
      const onset = 10_000;
      const error = random.between(0, 800);
      const frontMs = onset + random.between(-2000, 2000);
      const rearMs = frontMs + random.between(0, 2500);
      const onsetErrorMs = random.next() < 0.5 ? 0 : random.between(0, 500);
      const answer = judge(rearMs, frontMs, red({ onsetErrorMs }), error);
      const flagged = answer.verdict === 'red' && answer.letPass === undefined;
      if (frontMs - error < onset + onsetErrorMs || rearMs < onset + onsetErrorMs + 300)
        expect(flagged).toBe(false);
      else expect(flagged).toBe(true);
    });
  });

  it('takes the error of the onset from the source of the signal', () => {
    expect(judge(11_000, 10_400, red())).toMatchObject({ verdict: 'red' });
    expect(judge(11_000, 10_400, red())).not.toHaveProperty('letPass');
    expect(judge(11_000, 10_400, red({ onsetErrorMs: 500 }))).toMatchObject({
      letPass: { reason: 'phase-just-begun' },
    });
  });

  it('does not know what was not read', () => {
    const question = {
      signal: 'main',
      decisive: passing(1, 0),
      front: passing(1, 0),
      graceMs: 0,
      maxPhaseMs: 1e6,
    };
    expect(judgePhase(question, () => undefined)).toEqual({ verdict: 'unknown' });
  });
});

describe('excuse', () => {
  it('has words in both languages for every reason', () => {
    for (const reason of LET_PASS_REASONS) {
      const { explanation } = excuse(reason, 1200);
      expect(explanation.vi).toMatch(/^Cho qua: /);
      expect(explanation.en).toMatch(/^Let pass: /);
    }
    expect(excuse('stuck-lamp', 400_000).explanation).toMatchObject({
      vi: expect.stringContaining('400,0 giây'),
      en: expect.stringContaining('400.0 s'),
    });
  });
});
