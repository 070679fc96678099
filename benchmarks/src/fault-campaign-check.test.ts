import { describe, expect, it } from 'vitest';
import { checkCampaign, RECOVERY_LIMIT_MS } from './fault-campaign-check.ts';
import type {
  CampaignRecord,
  CommittedEvent,
  FaultRecord,
  LedgerInterval,
  OutboxState,
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
const KILL: FaultRecord = {
  ...{ kind: 'agent-killed', lanes: ['sight'] },
  ...{ fromMs: ZERO + 20_000, toMs: ZERO + 20_000, backAtMs: ZERO + 25_000 },
};
const BROKER_KILL: FaultRecord = {
  ...{ kind: 'broker-killed', lanes: ['delivery'] },
  ...{ fromMs: ZERO + 50_000, toMs: ZERO + 50_000, backAtMs: ZERO + 50_100 },
};
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

const SETTLED = { committedThrough: 30, highest: 30, missing: [] };
const WITNESS: CampaignRecord['witness'] = {
  ...{ tried: 16, appended: 15, committed: 15, counted: 15, absent: [], foreign: [] },
};

function anOutbox(change: Partial<OutboxState> = {}): OutboxState {
  const waiting = [{ seq: 31, channel: 'telemetry' }];
  const empty = { eventIds: [], rejected: 0, evidenceJobs: 0, uploads: [], intervals: [] };
  return { ...empty, lastSeq: 31, waiting, ...change };
}

/** A campaign in which everything holds. */
function aRecord(change: Partial<CampaignRecord> = {}): CampaignRecord {
  const ids = ALL.map(({ eventId }) => eventId);
  return {
    seed: 1,
    faults: [KILL, BROKER_KILL],
    ...{ planned: 2, tookMs: 60_000, begunMs: ZERO, endedMs: ZERO + 130_000 },
    loops: [LOOP],
    reference: REFERENCE,
    loggedEventIds: ids,
    outboxes: { edge: anOutbox({ eventIds: ids }), node: anOutbox() },
    committed: ALL,
    intervals: INTERVALS,
    centre: { edge: SETTLED, node: SETTLED, deadLetters: 0, damage: [], chainGaps: [] },
    witness: WITNESS,
    drainedMs: 9_000,
    load: [0.5, 0.5],
    ...change,
  };
}

function outboxOf(eventIds: readonly string[]): CampaignRecord['outboxes'] {
  return { ...aRecord().outboxes, edge: anOutbox({ eventIds }) };
}

function offencesOf(record: CampaignRecord): Record<string, readonly string[]> {
  const { checks, holds } = checkCampaign(record);
  const broken = checks.filter(({ offences }) => offences.length > 0);
  expect(holds).toBe(broken.length === 0);
  return Object.fromEntries(broken.map(({ name, offences }) => [name, offences]));
}

const TWICE = 'no event is committed twice, no measurement counted twice';
const only = (name: string, ...offences: unknown[]) => ({ [name]: offences });
const text = (part: string) => expect.stringContaining(part);

it('holds where every side tells the same', () => {
  const verdict = checkCampaign(aRecord());
  expect(verdict.checks.flatMap(({ offences }) => offences)).toEqual([]);
  expect(verdict.matching.expected.map(({ light }) => light)).toEqual(Array(6).fill('watched'));
  expect(verdict.matching).toMatchObject({ delays: [{ session: 's', delayMs: DELAY_MS }], extra: [] });
  expect(verdict.blindPerFault).toEqual({ max: 9_000, p95: 9_000 });
  expect(verdict.kinds).toEqual([
    { kind: 'agent-killed', done: 1, skipped: 0, back: 1, p50Ms: 5_000, p95Ms: 5_000, maxMs: 5_000 },
    { kind: 'broker-killed', done: 1, skipped: 0, back: 1, p50Ms: 100, p95Ms: 100, maxMs: 100 },
  ]);
  expect(verdict.recovery).toMatchObject({ done: 2, back: 2, p95Ms: 5_000 });
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
    const outboxes = outboxOf(without.map(({ eventId }) => eventId));
    expect(
      offencesOf(aRecord({ committed: without, outboxes }))['every appended event is committed'],
    ).toEqual([text('is not committed')]);
  });

  it('must be something', () => {
    const outboxes = outboxOf([]);
    const record = aRecord({ committed: [], outboxes, loggedEventIds: [] });
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
    const outboxes = outboxOf(ids);
    return offencesOf(aRecord({ committed: [...ALL, second], outboxes, loggedEventIds: ids }));
  };

  it('is seen under another id, a little later and a little further', () => {
    const offences = again({ capturedAtMs: ZERO + 41_300, x: 360 });
    expect(offences[TWICE]).toEqual([text('are one crossing: 1100 ms and 27 px apart')]);
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
    const outboxes = outboxOf(ids);
    const offences = offencesOf(
      aRecord({ reference: [...REFERENCE, behind], committed, outboxes, loggedEventIds: ids }),
    );
    expect(offences).not.toHaveProperty(TWICE);
  });

  it('is not what happens elsewhere, later, or to another rule', () => {
    for (const other of [{ x: 400 }, { capturedAtMs: ZERO + 42_000 }, { rule: 'other' }]) {
      expect(again(other)).not.toHaveProperty(TWICE);
    }
  });
});

describe('a replay event', () => {
  const without = (id: string, change: Partial<CampaignRecord> = {}) => {
    const committed = ALL.filter(({ eventId }) => eventId !== id);
    const ids = committed.map(({ eventId }) => eventId);
    const outboxes = outboxOf(ids);
    return offencesOf(aRecord({ committed, outboxes, loggedEventIds: ids, ...change }));
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
    const quiet = { faults: [], planned: 0 };
    expect(without(anId(0, 2), { intervals: blindAt(39_000, 41_000), ...quiet })).toEqual({});
    expect(without(anId(0, 2), { intervals: blindAt(40_400, 42_000), ...quiet })).toEqual({});
    expect(without(anId(0, 2), { intervals: blindAt(40_800, 42_000), ...quiet })).toHaveProperty([name]);
    expect(without(anId(0, 2), { intervals: blindAt(38_000, 39_600), ...quiet })).toHaveProperty([name]);
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
    expect(offencesOf(aRecord({ intervals, faults: [], planned: 0 }))[name]).toEqual([
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

  it('believes the interval that ends first, and nothing of a time that was not', () => {
    const hour = 3_600_000;
    const wrong: LedgerInterval[] = [
      { fromMs: ZERO - hour, toMs: ZERO - hour + 4_000, state: 'blind', reason: 'clock-moved' },
      { fromMs: ZERO + 30_000, toMs: ZERO + 30_000 + hour, state: 'blind', reason: 'clock-moved' },
    ];
    const { blind, holds } = checkCampaign(aRecord({ intervals: [...INTERVALS, ...wrong] }));
    expect(holds).toBe(true);
    expect(blind.map(({ toMs, fromMs }) => toMs - fromMs)).toEqual([2_000, 9_000, 10_000]);
  });

  const blindUntil = (endMs: number): LedgerInterval[] => [
    { fromMs: ZERO, toMs: ZERO + 16_000, state: 'analysed' },
    { fromMs: ZERO + 16_000, toMs: ZERO + endMs, state: 'blind', reason: 'agent-restarted' },
    { fromMs: ZERO + endMs, toMs: ZERO + 120_000, state: 'analysed' },
  ];

  it('shares a stretch between the faults in it, and leaves out what their causes held', () => {
    const frozen = {
      ...{ kind: 'camera-frozen', lanes: ['sight'] as const },
      ...{ fromMs: ZERO + 22_000, toMs: ZERO + 26_000, backAtMs: ZERO + 32_000 },
    };
    const record = aRecord({ intervals: blindUntil(32_000), faults: [KILL, frozen] });
    expect(checkCampaign(record).blindPerFault.max).toBe(6_000);
  });
});

describe('recovery', () => {
  const back = (afterMs: number): FaultRecord => ({ ...BROKER_KILL, backAtMs: BROKER_KILL.toMs + afterMs });
  const faultsOf = (slow: number): Partial<CampaignRecord> => ({
    faults: Array.from({ length: 100 }, (_, index) => back(index < slow ? RECOVERY_LIMIT_MS + 1 : 500)),
    planned: 100,
  });

  it('may take long five times in a hundred', () => {
    const name = '95 of 100 recoveries take at most 10 s';
    expect(offencesOf(aRecord(faultsOf(5)))).not.toHaveProperty([name]);
    expect(offencesOf(aRecord(faultsOf(6)))[name]).toEqual([text('the 95th takes 10.0 s')]);
  });

  it('must come about, after every fault of the plan', () => {
    const { backAtMs: _, ...gone } = BROKER_KILL;
    expect(offencesOf(aRecord({ faults: [KILL, gone], planned: 3 }))).toEqual(
      only(
        'every process came back without a hand',
        text('after broker-killed'),
        text('1 of 3 faults were not reached'),
      ),
    );
  });

  it('is not asked for after what could not be done', () => {
    const { backAtMs: _, ...skipped } = { ...BROKER_KILL, skipped: 'no root' };
    const verdict = checkCampaign(aRecord({ faults: [KILL, skipped] }));
    expect(verdict).toMatchObject({ holds: true, recovery: { done: 1, skipped: 1 } });
  });
});

describe('the second node', () => {
  const withWitness = (change: Partial<CampaignRecord['witness']>, more: Partial<CampaignRecord> = {}) =>
    offencesOf(aRecord({ witness: { ...WITNESS, ...change }, ...more }));
  const damaged = {
    ...BROKER_KILL,
    kind: 'node-outbox-damaged',
    destroyed: { seqs: [7, 8], eventIds: ['ev-x'] },
  };

  it('must find everything at the centre that it noted', () => {
    expect(withWitness({ absent: ['ev-x'] })).toEqual(
      only('every appended event is committed', text('ev-x was appended by the second node')),
    );
    expect(withWitness({ foreign: ['ev-y'] })).toEqual(
      only('every committed event was appended', text('ev-y of the second node')),
    );
    expect(withWitness({ appended: 0 })).toHaveProperty(['every appended event is committed']);
  });

  it('is not owed what a fault destroyed', () => {
    const faults = [KILL, damaged];
    expect(withWitness({ absent: ['ev-x'] }, { faults })).toEqual({});
    expect(withWitness({ absent: ['ev-x', 'ev-z'] }, { faults })).toHaveProperty([
      'every appended event is committed',
    ]);
  });

  it('must be counted once', () => {
    expect(withWitness({ counted: 16 })).toEqual(only(TWICE, text('16 was counted, yet 15')));
    expect(withWitness({ counted: 14 })).toEqual(only(TWICE, text('only 14 was counted of 15')));
    expect(withWitness({ counted: 14 }, { faults: [KILL, damaged] })).toEqual({});
  });
});

describe('delivery', () => {
  const name = 'the ledger of each node has no hole, each outbox is empty';
  const { centre } = aRecord();
  const ids = ALL.map(({ eventId }) => eventId);
  const edge = (change: Partial<OutboxState>): Partial<CampaignRecord> => ({
    outboxes: { edge: anOutbox({ eventIds: ids, ...change }), node: anOutbox() },
  });
  it.each<[string, Partial<CampaignRecord>]>([
    [
      'number 12 of edge is missing',
      { centre: { ...centre, edge: { ...SETTLED, committedThrough: 11, missing: [12] } } },
    ],
    ['2 messages are dead letters', { centre: { ...centre, deadLetters: 2 } }],
    ['a database is damaged: events', { centre: { ...centre, damage: ['events.sqlite: row 3 missing'] } }],
    ['1 messages of edge were refused', edge({ rejected: 1 })],
    ['evidence of 1 events was not made', edge({ evidenceJobs: 1 })],
    ['1 files wait', edge({ uploads: ['still-at-0-0', 'other'] })],
    ['event 31 of edge waits in the outbox', edge({ waiting: [{ seq: 31, channel: 'event' }] })],
    [
      '30 numbers have left the outbox of node, 29 are settled',
      { centre: { ...centre, node: { ...SETTLED, committedThrough: 29, highest: 29 } } },
    ],
    ['31 numbers have left the outbox of edge, 30 are settled', edge({ waiting: [] })],
    [
      'telemetry 31 of edge has waited for 100.0 s',
      edge({ waiting: [{ seq: 31, channel: 'telemetry', atMs: ZERO + 30_000 }] }),
    ],
  ])('%s', (message, change) => {
    expect(offencesOf(aRecord(change))[name]).toContainEqual(text(message));
  });

  it('lets telemetry wait to be sent again while later numbers are settled', () => {
    const waiting = [29, 31].map((seq) => ({ seq, channel: 'telemetry', atMs: ZERO + 120_000 }));
    const held = { ...centre, edge: { committedThrough: 28, highest: 30, missing: [29] } };
    expect(offencesOf(aRecord({ centre: held, ...edge({ waiting }) }))).toEqual({});
    expect(offencesOf(aRecord({ centre: held, ...edge({ waiting: waiting.slice(1) }) }))).toEqual(
      only(name, text('number 29 of edge is missing'), text('30 numbers have left')),
    );
  });

  it('must come to its end in time', () => {
    const { drainedMs: _, ...late } = aRecord();
    expect(offencesOf(late)).toEqual(only(name, text('within the time limit')));
  });
});

describe('evidence', () => {
  const name = 'every seal and every evidence file verifies, what is missing is explained';
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

  it('must be sealed, in a chain without a hole', () => {
    const sealFault = 'the signature is not that of these bytes';
    expect(withEvidence({ files, missing: [], sealFault })).toEqual(only(name, text(sealFault)));
    const centre = { ...aRecord().centre, chainGaps: ['4–4 of chain c'] };
    expect(offencesOf(aRecord({ centre }))).toEqual(only(name, text('4–4 of chain c is missing')));
  });

  it('may be missing for a reason', () => {
    const missing = (reason: string) => [{ role: 'still-before', reason }];
    expect(withEvidence({ files: others, missing: missing('the ring does not hold it') })).toEqual({});
    expect(withEvidence({ files: others, missing: missing(' ') })).toEqual(
      only(name, text('without a reason')),
    );
    expect(withEvidence({ files: [], missing: [] })).toEqual(only(name, text('names nothing')));
  });
});
