import {
  attributeBlind,
  type BlindStretch,
  findHoles,
  type Stretch,
  untangleIntervals,
} from './fault-campaign-blind.ts';
import { computeQuantile, isUnreported, type Matching, matchReplay } from './fault-campaign-match.ts';
import type { CampaignRecord, CommittedEvent, FaultRecord } from './fault-campaign-record.ts';
import { FAULT_KINDS } from './fault-kind.ts';

/** 95 of 100 faults may keep the product from its work for this long after their cause has ended, ms. */
export const RECOVERY_LIMIT_MS = 10_000;
/** Two events of one rule nearer than this are the same crossing told twice, ms and px. */
const SAME_CROSSING = { withinMs: 1_500, withinPx: 40 };
/** Pictures and instants around a fault that spoils them are not what the replay saw, ms. */
const SPOILED_AROUND_MS = 4_000;

/** One statement that must hold, and what speaks against it. */
export interface Check {
  readonly name: string;
  readonly offences: readonly string[];
}

export interface KindFigures {
  readonly kind: string;
  readonly done: number;
  readonly skipped: number;
  /** Faults after which everything was seen to work again. */
  readonly back: number;
  readonly p50Ms?: number;
  readonly p95Ms?: number;
  readonly maxMs?: number;
}

export interface CampaignVerdict {
  readonly checks: readonly Check[];
  readonly kinds: readonly KindFigures[];
  readonly recovery: Omit<KindFigures, 'kind'>;
  readonly matching: Matching;
  readonly blind: readonly BlindStretch[];
  /** Over the faults of sight, after the end of their cause, ms. */
  readonly blindPerFault: { readonly max?: number; readonly p95?: number };
  /** Events that a fault destroyed on a disk before the centre had them. */
  readonly destroyed: { readonly events: number; readonly ledgerMs: number };
  readonly unreportedMs: number;
  readonly holds: boolean;
}

/** Telemetry may wait for so long: what was on its way when a line broke is sent again after its lease of 10 s, doubled with each silence. */
const TELEMETRY_WAIT_MS = 90_000;

/** Judges a campaign by its record alone. */
export function checkCampaign(recorded: CampaignRecord): CampaignVerdict {
  const record = { ...recorded, intervals: untangleIntervals(recorded.intervals, recorded) };
  const matching = matchReplay({ ...record, spoiled: findSpoiled(record.faults) });
  const blind = attributeBlind(record.intervals, record.faults);
  const caused = blind.filter(({ faults }) => faults > 0);
  const perFault = caused.flatMap(({ faults, perFaultMs }) => Array<number>(faults).fill(perFaultMs));
  const holes = findHoles([...record.intervals, ...listDestroyedIntervals(record)]);
  const recovery = computeFigures(record.faults);
  const checks: Check[] = [
    { name: 'every appended event is committed', offences: checkAppended(record) },
    { name: 'every committed event was appended', offences: checkOrigin(record) },
    {
      name: 'no event is committed twice, no measurement counted twice',
      offences: checkTwice(record, matching),
    },
    { name: 'the ledger of each node has no hole, each outbox is empty', offences: checkDelivery(record) },
    {
      name: 'every replay event outside blind time is committed once',
      offences: checkReplay(record, matching),
    },
    { name: 'every instant of the camera is accounted for', offences: holes.map(describeHole) },
    {
      name: 'every seal and every evidence file verifies, what is missing is explained',
      offences: checkEvidence(record),
    },
    { name: 'every process came back without a hand', offences: checkReturn(record) },
    {
      name: `95 of 100 recoveries take at most ${RECOVERY_LIMIT_MS / 1000} s`,
      offences:
        (recovery.p95Ms ?? 0) > RECOVERY_LIMIT_MS
          ? [`the 95th takes ${describeMs(recovery.p95Ms ?? 0)}`]
          : [],
    },
  ];
  return {
    checks,
    kinds: listKinds(record.faults),
    recovery,
    matching,
    blind,
    blindPerFault: omitUnknown({ max: computeQuantile(perFault, 1), p95: computeQuantile(perFault, 0.95) }),
    destroyed: {
      events: listDestroyed(record).size,
      ledgerMs: listDestroyedIntervals(record).reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0),
    },
    unreportedMs: holes.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0),
    holds: checks.every(({ offences }) => offences.length === 0),
  };
}

function findSpoiled(faults: readonly FaultRecord[]): Stretch[] {
  const spoiling = new Set(
    FAULT_KINDS.filter(({ spoilsPictures }) => spoilsPictures).map(({ name }) => name),
  );
  return faults
    .filter(({ kind }) => spoiling.has(kind))
    .map(({ fromMs, toMs, backAtMs = toMs }) => ({
      fromMs: fromMs - SPOILED_AROUND_MS,
      toMs: backAtMs + SPOILED_AROUND_MS,
    }));
}

/** Events that lay in bytes which a fault overwrote, and that are not at the centre. */
function listDestroyed({ faults, committed, witness }: CampaignRecord): Set<string> {
  const absent = new Set(witness.absent);
  const there = new Set(committed.map(({ eventId }) => eventId));
  return new Set(
    faults
      .flatMap(({ destroyed }) => destroyed?.eventIds ?? [])
      .filter((id) => absent.has(id) || !there.has(id)),
  );
}

/** What a fault took from the ledger at the centre, which had acknowledged it: nobody has it any more. */
function listDestroyedIntervals({ faults }: CampaignRecord): Stretch[] {
  return faults.flatMap(({ destroyed }) => destroyed?.intervals ?? []);
}

/** Three witnesses of what was appended: the agent's log, its table of known events, and the journal of the second node. */
function checkAppended(record: CampaignRecord): string[] {
  const { loggedEventIds, outboxes, committed, witness } = record;
  const there = new Set(committed.map(({ eventId }) => eventId));
  const destroyed = new Set(record.faults.flatMap((fault) => fault.destroyed?.eventIds ?? []));
  return [
    ...(outboxes.edge.eventIds.length === 0 ? ['no event was appended: the campaign shows nothing'] : []),
    ...(witness.appended === 0 ? ['the second node appended nothing: the campaign shows nothing'] : []),
    ...[...new Set([...outboxes.edge.eventIds, ...loggedEventIds])]
      .filter((id) => !there.has(id) && !destroyed.has(id))
      .map((id) => `${id} was appended, yet it is not committed`),
    ...witness.absent
      .filter((id) => !destroyed.has(id))
      .map((id) => `${id} was appended by the second node, yet it is not committed`),
  ];
}

/** The log is a witness as well: what a fault destroyed in the outbox may have been committed before. */
function checkOrigin({ outboxes, committed, loggedEventIds, faults, witness }: CampaignRecord): string[] {
  const known = new Set([
    ...outboxes.edge.eventIds,
    ...loggedEventIds,
    ...faults.flatMap(({ destroyed }) => destroyed?.eventIds ?? []),
  ]);
  return [
    ...committed.flatMap(({ eventId }) =>
      known.has(eventId) ? [] : [`${eventId} is committed, yet it was never appended`],
    ),
    ...witness.foreign.map((id) => `${id} of the second node is committed, yet it never tried to append it`),
  ];
}

/** Two that are two events of the replay are two crossings, however near. */
function checkTwice({ committed, witness, faults }: CampaignRecord, { expected }: Matching): string[] {
  const owners = new Map(expected.flatMap((event) => event.found.map((eventId) => [eventId, event])));
  const areTwo = (first: CommittedEvent, second: CommittedEvent) => {
    const [one, other] = [owners.get(first.eventId), owners.get(second.eventId)];
    return one !== undefined && other !== undefined && one !== other;
  };
  const offences: string[] = [];
  const sorted = [...committed].sort((a, b) => a.capturedAtMs - b.capturedAtMs);
  for (const [index, first] of sorted.entries()) {
    for (const second of sorted.slice(index + 1)) {
      const apartMs = second.capturedAtMs - first.capturedAtMs;
      if (apartMs > SAME_CROSSING.withinMs) break;
      const apartPx = Math.hypot(second.x - first.x, second.y - first.y);
      if (first.eventId === second.eventId) offences.push(`${first.eventId} is listed twice`);
      else if (first.rule === second.rule && apartPx <= SAME_CROSSING.withinPx && !areTwo(first, second)) {
        const apart = `${apartMs} ms and ${apartPx.toFixed(0)} px apart`;
        offences.push(
          `${first.eventId} and ${second.eventId} of rule "${first.rule}" are one crossing: ${apart}`,
        );
      }
    }
  }
  return [...offences, ...checkCount(witness, faults)];
}

/** Event and count are one transaction: what was destroyed of one may be there of the other, nothing else. */
function checkCount(
  { committed, counted }: CampaignRecord['witness'],
  faults: readonly FaultRecord[],
): string[] {
  const destroyed = faults.reduce((sum, fault) => sum + (fault.destroyed?.seqs.length ?? 0), 0);
  if (counted > committed + destroyed)
    return [`${counted} was counted, yet ${committed} messages were there to count`];
  return counted < committed - destroyed ? [`only ${counted} was counted of ${committed} messages`] : [];
}

/** Telemetry of the last moments may still wait when a node is stopped, or wait to be sent again; nothing else may. */
function checkDelivery({ centre, outboxes, drainedMs, committed, endedMs }: CampaignRecord): string[] {
  const arrived = new Set(
    committed.flatMap(({ evidence }) =>
      (evidence?.files ?? []).flatMap(({ sha256, state }) => (state === 'verified' ? [sha256] : [])),
    ),
  );
  const offences: string[] = [];
  if (drainedMs === undefined) offences.push('the centre did not get everything within the time limit');
  if (centre.deadLetters > 0) offences.push(`${centre.deadLetters} messages are dead letters`);
  offences.push(...centre.damage.map((damage) => `a database is damaged: ${damage}`));
  for (const node of ['edge', 'node'] as const) {
    const [{ committedThrough, highest, missing }, outbox] = [centre[node], outboxes[node]];
    const held = new Set(outbox.waiting.map(({ seq }) => seq));
    offences.push(
      ...missing
        .filter((seq) => !held.has(seq))
        .map((seq) => `number ${seq} of ${node} is missing at the centre`),
    );
    if (outbox.rejected > 0) offences.push(`${outbox.rejected} messages of ${node} were refused`);
    if (outbox.evidenceJobs > 0) offences.push(`evidence of ${outbox.evidenceJobs} events was not made`);
    // The node may have been stopped between the last byte and the answer to it.
    const waiting = outbox.uploads.filter((sha256) => !arrived.has(sha256));
    if (waiting.length > 0) offences.push(`${waiting.length} files wait for their upload`);
    // What the centre has settled may wait for the word of it: the node was stopped before it came.
    for (const { seq, channel, atMs } of outbox.waiting.filter((entry) => entry.seq > committedThrough)) {
      if (channel !== 'telemetry') offences.push(`${channel} ${seq} of ${node} waits in the outbox`);
      else if (atMs !== undefined && endedMs - atMs > TELEMETRY_WAIT_MS)
        offences.push(`telemetry ${seq} of ${node} has waited for ${describeMs(endedMs - atMs)}`);
    }
    const settled = committedThrough + Math.max(0, highest - committedThrough - missing.length);
    const isSettled = (seq: number) => seq <= committedThrough || (seq <= highest && !missing.includes(seq));
    const left = outbox.lastSeq - outbox.waiting.filter(({ seq }) => !isSettled(seq)).length;
    if (left !== settled) {
      offences.push(`${left} numbers have left the outbox of ${node}, ${settled} are settled at the centre`);
    }
  }
  return offences;
}

function checkReplay({ intervals }: CampaignRecord, { expected }: Matching): string[] {
  const watched = expected.filter(({ light }) => light === 'watched');
  const offences = expected.flatMap((event) => {
    const { reference, pass, atMs, light, found } = event;
    const what = `${reference.kind} at ${(reference.clipMs / 1000).toFixed(2)} s of pass ${pass}`;
    if (found.length > 1) return [`${what} is committed ${found.length} times: ${found.join(', ')}`];
    if (light !== 'watched' || found.length === 1) return [];
    const ledger = isUnreported(atMs, intervals) ? 'says nothing' : 'says that it was watched';
    return [`${what} (${new Date(atMs).toISOString()}) is not committed; the ledger ${ledger}`];
  });
  return watched.length === 0 ? [...offences, 'no event of the replay lies outside blind time'] : offences;
}

/** What a manifest names is there; what it does not name it explains. A disk that forgets an event forgets the job of its evidence. */
function checkEvidence({ committed, centre, faults: injected }: CampaignRecord): string[] {
  const destroyed = new Set(injected.flatMap((fault) => fault.destroyed?.eventIds ?? []));
  const gaps = centre.chainGaps.map((gap) => `${gap} is missing at the centre`);
  const faults = committed.flatMap(({ eventId, evidence, letPass }) => {
    if (letPass) return [];
    if (evidence === undefined) return destroyed.has(eventId) ? [] : [`${eventId} has no evidence manifest`];
    const { files, missing, sealFault } = evidence;
    return [
      ...(sealFault === undefined ? [] : [`${eventId}: ${sealFault}`]),
      ...files
        .filter(({ state }) => state !== 'verified')
        .map(({ role, sha256, state }) => `${eventId}: ${role} (${sha256.slice(0, 12)}…) ${state}`),
      ...missing
        .filter(({ reason }) => reason.trim() === '')
        .map(({ role }) => `${eventId}: ${role} is missing without a reason`),
      ...(files.length + missing.length === 0 ? [`${eventId}: its manifest names nothing`] : []),
    ];
  });
  return [...gaps, ...faults];
}

function checkReturn({ faults, planned }: CampaignRecord): string[] {
  const lost = faults.filter(({ backAtMs, skipped }) => backAtMs === undefined && skipped === undefined);
  return [
    ...lost.map(
      ({ kind, fromMs }) => `after ${kind} at ${new Date(fromMs).toISOString()} not everything came back`,
    ),
    ...(faults.length < planned ? [`${planned - faults.length} of ${planned} faults were not reached`] : []),
  ];
}

function listKinds(faults: readonly FaultRecord[]): KindFigures[] {
  return FAULT_KINDS.flatMap(({ name }) => {
    const own = faults.filter(({ kind }) => kind === name);
    return own.length === 0 ? [] : [{ kind: name, ...computeFigures(own) }];
  });
}

function computeFigures(faults: readonly FaultRecord[]): Omit<KindFigures, 'kind'> {
  const done = faults.filter(({ skipped }) => skipped === undefined);
  const times = done.flatMap(({ toMs, backAtMs }) =>
    backAtMs === undefined ? [] : [Math.max(0, backAtMs - toMs)],
  );
  return {
    ...{ done: done.length, skipped: faults.length - done.length, back: times.length },
    ...omitUnknown({
      p50Ms: computeQuantile(times, 0.5),
      p95Ms: computeQuantile(times, 0.95),
      maxMs: computeQuantile(times, 1),
    }),
  };
}

function describeHole({ fromMs, toMs }: { fromMs: number; toMs: number }): string {
  return `nothing is said of ${describeMs(toMs - fromMs)} from ${new Date(fromMs).toISOString()}`;
}

function describeMs(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function omitUnknown<T extends Record<string, number | undefined>>(
  values: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const known = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
