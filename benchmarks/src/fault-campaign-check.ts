import { attributeBlind, type BlindStretch, findHoles } from './fault-campaign-blind.ts';
import { computeQuantile, isUnreported, type Matching, matchReplay } from './fault-campaign-match.ts';
import { type CampaignRecord, type CommittedEvent, VICTIMS, type Victim } from './fault-campaign-record.ts';

/** Blind time that one kill of the agent may cost, ms. */
export const BLIND_LIMIT_MS = 10_000;
/** Two events of one rule nearer than this are the same crossing told twice, ms and px. */
const SAME_CROSSING = { withinMs: 1_500, withinPx: 40 };
const EVIDENCE_ROLES = ['still-before', 'still-at', 'still-after', 'clip'];

/** One statement that must hold, and what speaks against it. */
export interface Check {
  readonly name: string;
  readonly offences: readonly string[];
}

export interface Recovery {
  readonly victim: Victim;
  readonly kills: number;
  /** Kills after which it ran again before it was killed again. */
  readonly recovered: number;
  readonly p50Ms?: number;
  readonly p95Ms?: number;
}

export interface CampaignVerdict {
  readonly checks: readonly Check[];
  readonly matching: Matching;
  readonly blind: readonly BlindStretch[];
  /** Over the kills of the agent, ms. */
  readonly blindPerKill: { readonly max?: number; readonly p95?: number };
  readonly recovery: readonly Recovery[];
  readonly unreportedMs: number;
  readonly holds: boolean;
}

/** Judges a campaign by its record alone. */
export function checkCampaign(record: CampaignRecord): CampaignVerdict {
  const matching = matchReplay(record);
  const blind = attributeBlind(record.intervals, record.kills);
  const caused = blind.filter(({ kills }) => kills > 0);
  const perKill = caused.flatMap(({ kills, perKillMs }) => Array<number>(kills).fill(perKillMs));
  const holes = findHoles(record.intervals);
  const checks: Check[] = [
    { name: 'every appended event is committed', offences: checkAppended(record) },
    { name: 'every committed event was appended', offences: checkOrigin(record) },
    { name: 'no event is committed twice', offences: checkTwice(record.committed, matching) },
    { name: 'the ledger of the node has no hole, the outbox is empty', offences: checkDelivery(record) },
    {
      name: 'every replay event outside blind time is committed once',
      offences: checkReplay(record, matching),
    },
    { name: 'every instant of the camera is accounted for', offences: holes.map(describeHole) },
    {
      name: `an agent kill costs at most ${BLIND_LIMIT_MS / 1000} s of sight`,
      offences: checkBlind(record, caused),
    },
    { name: 'every evidence file is there and verifies, or is explained', offences: checkEvidence(record) },
  ];
  return {
    checks,
    matching,
    blind,
    blindPerKill: omitUnknown({ max: computeQuantile(perKill, 1), p95: computeQuantile(perKill, 0.95) }),
    recovery: VICTIMS.map((victim) => computeRecovery(record, victim)),
    unreportedMs: holes.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0),
    holds: checks.every(({ offences }) => offences.length === 0),
  };
}

/** The agent's log and its table of known events are two witnesses of what was appended. */
function checkAppended({ loggedEventIds, outbox, committed }: CampaignRecord): string[] {
  const known = new Set(outbox.eventIds);
  const there = new Set(committed.map(({ eventId }) => eventId));
  return [
    ...(known.size === 0 ? ['no event was appended: the campaign shows nothing'] : []),
    ...loggedEventIds
      .filter((id) => !known.has(id))
      .map((id) => `${id} was logged, yet the outbox does not know it`),
    ...[...new Set([...outbox.eventIds, ...loggedEventIds])]
      .filter((id) => !there.has(id))
      .map((id) => `${id} was appended, yet it is not committed`),
  ];
}

function checkOrigin({ outbox, committed }: CampaignRecord): string[] {
  const known = new Set(outbox.eventIds);
  return committed.flatMap(({ eventId }) =>
    known.has(eventId) ? [] : [`${eventId} is committed, yet it was never appended`],
  );
}

/** Two that are two events of the replay are two crossings, however near. */
function checkTwice(committed: readonly CommittedEvent[], { expected }: Matching): string[] {
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
  return offences;
}

/** Telemetry that the node wrote while it was stopped may still wait; nothing else may. */
function checkDelivery({ centre, outbox, drainedMs }: CampaignRecord): string[] {
  const { committedThrough, missing, deadLetters } = centre;
  const offences = missing.map((seq) => `number ${seq} is missing at the centre`);
  if (drainedMs === undefined) offences.push('the centre did not get everything within the time limit');
  if (deadLetters > 0) offences.push(`${deadLetters} messages are dead letters`);
  if (outbox.rejected > 0) offences.push(`${outbox.rejected} messages were refused`);
  if (outbox.evidenceJobs > 0) offences.push(`evidence of ${outbox.evidenceJobs} events was not made`);
  if (outbox.uploads > 0) offences.push(`${outbox.uploads} files wait for their upload`);
  for (const { seq, channel } of outbox.waiting) {
    if (channel !== 'telemetry' || seq <= committedThrough)
      offences.push(`${channel} ${seq} waits in the outbox`);
  }
  const settled = outbox.lastSeq - outbox.waiting.filter(({ seq }) => seq > committedThrough).length;
  if (settled !== committedThrough) {
    offences.push(`${settled} numbers have left the outbox, ${committedThrough} are settled at the centre`);
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

function checkBlind({ kills }: CampaignRecord, caused: readonly BlindStretch[]): string[] {
  const counted = caused.reduce((sum, stretch) => sum + stretch.kills, 0);
  const agentKills = kills.filter(({ victim }) => victim === 'edge').length;
  const unseen = agentKills - counted;
  return [
    ...(unseen > 0 ? [`${unseen} kills of the agent lie in no blind interval`] : []),
    ...caused
      .filter(({ perKillMs }) => perKillMs > BLIND_LIMIT_MS)
      .map((stretch) => {
        const { fromMs, toMs, perKillMs } = stretch;
        const seconds = (ms: number) => (ms / 1000).toFixed(1);
        return `${seconds(perKillMs)} s blind per kill (${seconds(toMs - fromMs)} s from ${new Date(fromMs).toISOString()}, kills: ${stretch.kills})`;
      }),
  ];
}

function checkEvidence({ committed }: CampaignRecord): string[] {
  return committed.flatMap(({ eventId, evidence }) => {
    if (evidence === undefined) return [`${eventId} has no evidence manifest`];
    const named = new Set([...evidence.files, ...evidence.missing].map(({ role }) => role));
    return [
      ...evidence.files
        .filter(({ state }) => state !== 'verified')
        .map(({ role, sha256, state }) => `${eventId}: ${role} (${sha256.slice(0, 12)}…) ${state}`),
      ...evidence.missing
        .filter(({ reason }) => reason.trim() === '')
        .map(({ role }) => `${eventId}: ${role} is missing without a reason`),
      ...EVIDENCE_ROLES.filter((role) => !named.has(role)).map(
        (role) => `${eventId}: nothing is said of ${role}`,
      ),
    ];
  });
}

function computeRecovery({ kills }: CampaignRecord, victim: Victim): Recovery {
  const own = kills.filter((kill) => kill.victim === victim);
  const times = own.flatMap(({ atMs, backAtMs }) => (backAtMs === undefined ? [] : [backAtMs - atMs]));
  const quantiles = { p50Ms: computeQuantile(times, 0.5), p95Ms: computeQuantile(times, 0.95) };
  return { victim, kills: own.length, recovered: times.length, ...omitUnknown(quantiles) };
}

function describeHole({ fromMs, toMs }: { fromMs: number; toMs: number }): string {
  return `nothing is said of ${((toMs - fromMs) / 1000).toFixed(1)} s from ${new Date(fromMs).toISOString()}`;
}

function omitUnknown<T extends Record<string, number | undefined>>(
  values: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const known = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
