import { describe, expect, it } from 'vitest';
import { BLIND_LIMIT_MS, checkCampaign } from './fault-campaign-check.ts';
import type {
  CampaignRecord,
  CommittedEvent,
  LedgerInterval,
  ReferenceEvent,
} from './fault-campaign-record.ts';

const ZERO = Date.parse('2026-03-02T08:00:00.000Z');
const LOOP = { zeroEpochMs: ZERO, durationMs: 60_000, firstClipMs: 0 };
const DELAY_MS = 200;
const ROLES = ['still-before', 'still-at', 'still-after', 'clip'];
const REFERENCE: readonly ReferenceEvent[] = [
  { kind: 'RED_LIGHT', rule: 'red-light', clipMs: 6_000, x: 200, y: 300, heightPx: 80 },
  { kind: 'RED_LIGHT', rule: 'red-light', clipMs: 7_000, x: 300, y: 300, heightPx: 80 },
  { kind: 'STOP_LINE', rule: 'stop-line', clipMs: 40_000, x: 330, y: 380, heightPx: 80 },
];
/** Two passes are watched; the agent is killed at 20 s of the first, and blind from 16 s to 25 s. */
const KILL = { victim: 'edge', pid: 100, atMs: ZERO + 20_000, backAtMs: ZERO + 23_000 } as const;
const INTERVALS: readonly LedgerInterval[] = [
  { fromMs: ZERO, toMs: ZERO + 2_000, state: 'blind', reason: 'warming-up' },
  { fromMs: ZERO + 2_000, toMs: ZERO + 16_000, state: 'analysed' },
  { fromMs: ZERO + 16_000, toMs: ZERO + 23_000, state: 'blind', reason: 'agent-restarted' },
  { fromMs: ZERO + 23_000, toMs: ZERO + 25_000, state: 'blind', reason: 'warming-up' },
  { fromMs: ZERO + 25_000, toMs: ZERO + 90_000, state: 'analysed' },
  { fromMs: ZERO + 90_000, toMs: ZERO + 120_000, state: 'degraded', reason: 'frames-dropped' },
];

function anId(pass: number, index: number): string {
  return `ev-${pass}-${index}`;
}

function aCommitted(pass: number, index: number, change: Partial<CommittedEvent> = {}): CommittedEvent {
  const { kind, rule, clipMs, x, y, heightPx } = REFERENCE[index] as ReferenceEvent;
  const capturedAtMs = ZERO + pass * LOOP.durationMs + clipMs + DELAY_MS;
  const files = ROLES.map((role) => ({
    role,
    sha256: `${role}-${pass}-${index}`,
    state: 'verified' as const,
  }));
  const place = { x: x + 3, y: y - 2, heightPx };
  const eventId = anId(pass, index);
  return {
    eventId,
    kind,
    rule,
    session: 's',
    capturedAtMs,
    ...place,
    evidence: { files, missing: [] },
    ...change,
  };
}

const ALL = [0, 1].flatMap((pass) => REFERENCE.map((_, index) => aCommitted(pass, index)));

/** A campaign in which everything holds. */
function aRecord(change: Partial<CampaignRecord> = {}): CampaignRecord {
  const ids = ALL.map(({ eventId }) => eventId);
  return {
    seed: 1,
    kills: [KILL, { victim: 'broker', pid: 101, atMs: ZERO + 50_000, backAtMs: ZERO + 50_100 }],
    loop: LOOP,
    reference: REFERENCE,
    loggedEventIds: ids,
    outbox: {
      ...{ lastSeq: 31, eventIds: ids, rejected: 0, evidenceJobs: 0, uploads: 0 },
      waiting: [{ seq: 31, channel: 'telemetry' }],
    },
    committed: ALL,
    intervals: INTERVALS,
    centre: { committedThrough: 30, missing: [], deadLetters: 0 },
    drainedMs: 9_000,
    load: [0.5, 0.5],
    ...change,
  };
}

function offencesOf(record: CampaignRecord): Record<string, readonly string[]> {
  const { checks, holds } = checkCampaign(record);
  const broken = checks.filter(({ offences }) => offences.length > 0);
  expect(holds).toBe(broken.length === 0);
  return Object.fromEntries(broken.map(({ name, offences }) => [name, offences]));
}

const only = (name: string, ...offences: unknown[]) => ({ [name]: offences });
const text = (part: string) => expect.stringContaining(part);

it('holds where every side tells the same', () => {
  const verdict = checkCampaign(aRecord());
  expect(verdict.checks.flatMap(({ offences }) => offences)).toEqual([]);
  expect(verdict.matching.expected.map(({ light }) => light)).toEqual(Array(6).fill('watched'));
  expect(verdict.matching).toMatchObject({ delays: [{ session: 's', delayMs: DELAY_MS }], extra: [] });
  expect(verdict.blindPerKill).toEqual({ max: 9_000, p95: 9_000 });
  expect(verdict.recovery).toEqual([
    { victim: 'edge', kills: 1, recovered: 1, p50Ms: 3_000, p95Ms: 3_000 },
    { victim: 'broker', kills: 1, recovered: 1, p50Ms: 100, p95Ms: 100 },
    { victim: 'ingestor', kills: 0, recovered: 0 },
  ]);
});

describe('what was appended', () => {
  const lost = anId(1, 0);
  const without = ALL.filter(({ eventId }) => eventId !== lost);

  it('must be committed', () => {
    expect(offencesOf(aRecord({ committed: without }))).toMatchObject({
      'every appended event is committed': [text(`${lost} was appended, yet it is not committed`)],
      'every replay event outside blind time is committed once': [text('RED_LIGHT at 6.00 s of pass 1')],
    });
  });

  it('must be committed also where only the log knows it', () => {
    const outbox = { ...aRecord().outbox, eventIds: without.map(({ eventId }) => eventId) };
    expect(offencesOf(aRecord({ committed: without, outbox }))['every appended event is committed']).toEqual([
      text('the outbox does not know it'),
      text('is not committed'),
    ]);
  });

  it('must be something', () => {
    const outbox = { ...aRecord().outbox, eventIds: [] };
    const record = aRecord({ committed: [], outbox, loggedEventIds: [] });
    expect(offencesOf(record)['every appended event is committed']).toEqual([text('shows nothing')]);
  });

  it('is all that may be committed', () => {
    const extra = aCommitted(1, 2, { eventId: 'ev-other', capturedAtMs: ZERO + 110_000 });
    expect(offencesOf(aRecord({ committed: [...ALL, extra] }))).toEqual(
      only('every committed event was appended', text('ev-other is committed, yet it was never appended')),
    );
  });
});

describe('what is committed twice', () => {
  const again = (change: Partial<CommittedEvent>) => {
    const second = aCommitted(0, 2, { eventId: 'ev-again', ...change });
    const ids = [...ALL.map(({ eventId }) => eventId), 'ev-again'];
    const outbox = { ...aRecord().outbox, eventIds: ids };
    return offencesOf(aRecord({ committed: [...ALL, second], outbox, loggedEventIds: ids }));
  };

  it('is seen under another id, a little later and a little further', () => {
    const offences = again({ capturedAtMs: ZERO + 41_300, x: 360 });
    expect(offences['no event is committed twice']).toEqual([
      text('are one crossing: 1100 ms and 27 px apart'),
    ]);
  });

  it('is seen as two finds of one replay event', () => {
    const offences = again({ capturedAtMs: ZERO + 40_000 });
    expect(offences['every replay event outside blind time is committed once']).toEqual([
      text('STOP_LINE at 40.00 s of pass 0 is committed 2 times'),
    ]);
  });

  it('is not two road users that the replay has one behind the other', () => {
    const behind = {
      kind: 'STOP_LINE',
      rule: 'stop-line',
      clipMs: 41_000,
      x: 335,
      y: 380,
      heightPx: 80,
    } as const;
    const second = aCommitted(0, 2, { eventId: 'ev-behind', capturedAtMs: ZERO + 41_000 + DELAY_MS, x: 335 });
    const committed = [...ALL, second];
    const ids = committed.map(({ eventId }) => eventId);
    const outbox = { ...aRecord().outbox, eventIds: ids };
    const offences = offencesOf(
      aRecord({ reference: [...REFERENCE, behind], committed, outbox, loggedEventIds: ids }),
    );
    expect(offences).not.toHaveProperty('no event is committed twice');
  });

  it('is not what happens elsewhere, later, or to another rule', () => {
    for (const other of [{ x: 400 }, { capturedAtMs: ZERO + 42_000 }, { rule: 'other' }]) {
      expect(again(other)).not.toHaveProperty('no event is committed twice');
    }
  });
});

describe('a replay event', () => {
  const without = (id: string, change: Partial<CampaignRecord> = {}) => {
    const committed = ALL.filter(({ eventId }) => eventId !== id);
    const ids = committed.map(({ eventId }) => eventId);
    const outbox = { ...aRecord().outbox, eventIds: ids };
    return offencesOf(aRecord({ committed, outbox, loggedEventIds: ids, ...change }));
  };
  const name = 'every replay event outside blind time is committed once';

  it('that was watched and never found is told with its moment', () => {
    expect(without(anId(0, 2))).toEqual(
      only(
        name,
        text(
          'STOP_LINE at 40.00 s of pass 0 (2026-03-02T08:00:40.000Z) is not committed; the ledger says that it was watched',
        ),
      ),
    );
  });

  it('may be missing in blind time and at its edge', () => {
    const blindAt = (fromMs: number, toMs: number): LedgerInterval[] => [
      { fromMs: ZERO, toMs: ZERO + fromMs, state: 'analysed' },
      { fromMs: ZERO + fromMs, toMs: ZERO + toMs, state: 'blind', reason: 'camera-stalled' },
      { fromMs: ZERO + toMs, toMs: ZERO + 120_000, state: 'analysed' },
    ];
    const kills = { kills: [] };
    expect(without(anId(0, 2), { intervals: blindAt(39_000, 41_000), ...kills })).toEqual({});
    expect(without(anId(0, 2), { intervals: blindAt(40_400, 42_000), ...kills })).toEqual({});
    expect(without(anId(0, 2), { intervals: blindAt(40_800, 42_000), ...kills })).toHaveProperty([name]);
    expect(without(anId(0, 2), { intervals: blindAt(38_000, 39_600), ...kills })).toHaveProperty([name]);
  });

  it('is not stood in for by another kind, place, moment or pass', () => {
    const swaps: Partial<CommittedEvent>[] = [
      { kind: 'WRONG_WAY' },
      { x: 380 },
      { capturedAtMs: ZERO + 40_200 + 701 },
      { capturedAtMs: ZERO + 100_200 + 700 },
    ];
    for (const swap of swaps) {
      const committed = ALL.map((event) => (event.eventId === anId(0, 2) ? { ...event, ...swap } : event));
      expect(offencesOf(aRecord({ committed }))[name]).toContainEqual(
        text('STOP_LINE at 40.00 s of pass 0 ('),
      );
    }
  });

  it('is found in a session whose instants are all late by the same, and not where they are wrong by seconds', () => {
    const late = (byMs: number) =>
      aRecord({ committed: ALL.map((event) => ({ ...event, capturedAtMs: event.capturedAtMs + byMs })) });
    expect(offencesOf(late(1_500))).toEqual({});
    expect(checkCampaign(late(1_500)).matching.delays).toEqual([{ session: 's', delayMs: DELAY_MS + 1_500 }]);
    expect(offencesOf(late(3_000))[name]).toHaveLength(6);
  });

  it('must exist outside blind time, or the campaign shows nothing', () => {
    const intervals: LedgerInterval[] = [
      { fromMs: ZERO, toMs: ZERO + 120_000, state: 'blind', reason: 'agent-stopped' },
    ];
    expect(offencesOf(aRecord({ intervals, kills: [] }))[name]).toEqual([
      text('no event of the replay lies outside'),
    ]);
  });
});

describe('the ledger of the camera', () => {
  it('must leave no instant out', () => {
    const intervals = INTERVALS.map((part) =>
      part.fromMs === ZERO + 25_000 ? { ...part, fromMs: ZERO + 27_500 } : part,
    );
    expect(offencesOf(aRecord({ intervals }))).toEqual(
      only(
        'every instant of the camera is accounted for',
        text('nothing is said of 2.5 s from 2026-03-02T08:00:25.000Z'),
      ),
    );
  });

  const blindUntil = (endMs: number): LedgerInterval[] => [
    { fromMs: ZERO, toMs: ZERO + 16_000, state: 'analysed' },
    { fromMs: ZERO + 16_000, toMs: ZERO + endMs, state: 'blind', reason: 'agent-restarted' },
    { fromMs: ZERO + endMs, toMs: ZERO + 120_000, state: 'analysed' },
  ];
  const name = `an agent kill costs at most ${BLIND_LIMIT_MS / 1000} s of sight`;

  it('must show that a kill cost little', () => {
    expect(offencesOf(aRecord({ intervals: blindUntil(26_000) }))).toEqual({});
    expect(offencesOf(aRecord({ intervals: blindUntil(26_100) }))).toEqual(
      only(name, text('10.1 s blind per kill')),
    );
  });

  it('shares a stretch between the kills in it', () => {
    const second = { victim: 'edge', pid: 200, atMs: ZERO + 22_000 } as const;
    const kills = [KILL, second];
    expect(checkCampaign(aRecord({ intervals: blindUntil(32_000), kills })).blindPerKill.max).toBe(8_000);
    expect(offencesOf(aRecord({ intervals: blindUntil(38_000), kills }))).toHaveProperty([name]);
  });

  it('must know of every kill of the agent', () => {
    const kills = [KILL, { victim: 'edge', pid: 200, atMs: ZERO + 70_000 } as const];
    expect(offencesOf(aRecord({ kills }))).toEqual(
      only(name, text('1 kills of the agent lie in no blind interval')),
    );
  });
});

describe('delivery', () => {
  const name = 'the ledger of the node has no hole, the outbox is empty';
  const { outbox, centre } = aRecord();
  it.each<[string, Partial<CampaignRecord>]>([
    ['number 12 is missing', { centre: { ...centre, missing: [12] } }],
    ['2 messages are dead letters', { centre: { ...centre, deadLetters: 2 } }],
    ['1 messages were refused', { outbox: { ...outbox, rejected: 1 } }],
    ['evidence of 1 events was not made', { outbox: { ...outbox, evidenceJobs: 1 } }],
    ['3 files wait', { outbox: { ...outbox, uploads: 3 } }],
    ['event 31 waits in the outbox', { outbox: { ...outbox, waiting: [{ seq: 31, channel: 'event' }] } }],
    ['30 numbers have left the outbox, 29 are settled', { centre: { ...centre, committedThrough: 29 } }],
  ])('%s', (message, change) => {
    expect(offencesOf(aRecord(change))[name]).toContainEqual(text(message));
  });

  it('must come to its end in time', () => {
    const { drainedMs: _, ...late } = aRecord();
    expect(offencesOf(late)).toEqual(only(name, text('within the time limit')));
  });
});

describe('evidence', () => {
  const name = 'every evidence file is there and verifies, or is explained';
  const withEvidence = (evidence: CommittedEvent['evidence']) => {
    const { evidence: _, ...bare } = aCommitted(0, 0);
    const changed = evidence === undefined ? bare : { ...bare, evidence };
    return offencesOf(aRecord({ committed: [changed, ...ALL.slice(1)] }));
  };
  const files = aCommitted(0, 0).evidence?.files ?? [];
  const [first, ...others] = files;

  it('must be announced', () =>
    expect(withEvidence(undefined)).toEqual(only(name, text('has no evidence manifest'))));

  it('must arrive, and be what was announced', () => {
    for (const state of ['not-arrived', 'digest-differs'] as const) {
      const broken = { role: 'still-before', sha256: 'abc', ...first, state };
      expect(withEvidence({ files: [broken, ...others], missing: [] })).toEqual(only(name, text(`${state}`)));
    }
  });

  it('may be missing for a reason', () => {
    const missing = (reason: string) => [{ role: 'still-before', reason }];
    expect(withEvidence({ files: others, missing: missing('the ring does not hold it') })).toEqual({});
    expect(withEvidence({ files: others, missing: missing(' ') })).toEqual(
      only(name, text('without a reason')),
    );
    expect(withEvidence({ files: others, missing: [] })).toEqual(
      only(name, text('nothing is said of still-before')),
    );
  });
});
