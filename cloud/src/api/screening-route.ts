import { computeGateService, FEVER_CONFIRMED_FROM_C, NgatuError, READING_ENTRY_MS } from '@ngatu/contract';
import { MAY } from '../account/permission.ts';
import type { Session } from '../account/session-store.ts';
import type { GateName, GateRecord, StoredPassage } from '../store/screening-store.ts';
import type { ApiApp, ApiDeps } from './api-app.ts';
import { isSiteInScope, scopeSites } from './area-scope.ts';
import { refusals } from './refusal-schema.ts';
import { parsePeriod } from './request-validation.ts';
import {
  type GateOverview,
  GateParams,
  GateQuery,
  GateReport,
  PassageAnswer,
  PassageList,
  PassageParams,
  PassageQuery,
  ReadingRequest,
} from './screening-schema.ts';
import { requireSession } from './session-guard.ts';

const DAY_MS = 86_400_000;
const MAX_PERIOD_MS = 31 * DAY_MS;
/** A gate tells of itself every minute; after this nothing is known of it, ms. */
const UNREPORTED_AFTER_MS = 150_000;
/** A page asks every second: what one person sees of one gate within this time is one look in the audit trail, ms. */
const ONE_LOOK_MS = 600_000;
const LOOKS_KEPT = 1_000;
const SELF_CHECKS_SHOWN = 10;

function nameOf({ site, node, gate }: GateName): string {
  return `${site}/${node}/${gate}`;
}

/** @throws NgatuError NOT_FOUND where the gate is unknown or lies outside the person's areas */
function requireGate({ events }: ApiDeps, session: Session, name: GateName) {
  const gate = isSiteInScope(session, name.site) ? events.screening.getGate(name) : undefined;
  if (gate === undefined) throw new NgatuError('NOT_FOUND', `There is no fever gate "${nameOf(name)}"`);
  return gate;
}

/** What may be said of a gate without saying anything of a person. */
function describeGate(record: GateRecord, period: { from: string; to: string }, nowMs: number): GateOverview {
  const { site, node, gate, heardAt, status, counts, confirmed, time } = record;
  const isSilent = status === undefined || nowMs - Date.parse(heardAt) > UNREPORTED_AFTER_MS;
  const service = isSilent ? 'unreported' : computeGateService(status.state);
  const machine =
    isSilent || service === 'serving'
      ? {}
      : { since: status.since, ...(status.refusal === undefined ? {} : { reason: status.refusal }) };
  return {
    ...{ site, node, gate, heardAt, service, ...machine, time: [...time] },
    ...(status === undefined ? {} : { learning: status.site }),
    ...(status?.warmUntil === undefined ? {} : { warmUntil: status.warmUntil }),
    ...(status?.room === undefined ? {} : { room: status.room }),
    ...(status?.offsetC === undefined ? {} : { offsetC: status.offsetC }),
    ...(status?.driftCPerHour === undefined ? {} : { driftCPerHour: status.driftCPerHour }),
    ...(status?.selfCheck === undefined ? {} : { selfCheck: status.selfCheck }),
    ...(status?.fault === undefined ? {} : { fault: status.fault }),
    counts: { schemaVersion: 1, gate, ...period, ...counts, confirmed },
  };
}

function describePassage({ result, reading }: StoredPassage): PassageAnswer {
  return {
    result,
    entryUntil: new Date(Date.parse(result.at) + READING_ENTRY_MS).toISOString(),
    ...(reading === undefined ? {} : { reading }),
  };
}

function addGateRoute(app: ApiApp, deps: ApiDeps): void {
  app.get(
    '/screening/gates',
    {
      config: { access: MAY.readFleet },
      schema: {
        summary: 'Fever gates: how they serve, and counts of a period; nothing of a single person',
        tags: ['screening'],
        querystring: GateQuery,
        response: { 200: GateReport, ...refusals(400, 401, 403) },
      },
    },
    async (request) => {
      const { from, to } = request.query;
      const now = deps.now();
      const { fromMs, toMs } = parsePeriod({
        ...{ now, defaultMs: DAY_MS, maxMs: MAX_PERIOD_MS },
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
      });
      const period = { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() };
      const gates = deps.events.screening.listGates(period, scopeSites(requireSession(request)));
      return {
        ...period,
        feverFromC: FEVER_CONFIRMED_FROM_C,
        gates: gates.map((gate) => describeGate(gate, period, now)),
      };
    },
  );
}

/** Whether this is a new look of a person at a gate, which the audit trail records. */
class LookBook {
  readonly #looks = new Map<string, number>();

  isNew(actor: string, gate: string, nowMs: number): boolean {
    const key = `${actor} ${gate}`;
    const lastMs = this.#looks.get(key);
    if (lastMs !== undefined && nowMs - lastMs < ONE_LOOK_MS) return false;
    this.#looks.delete(key);
    this.#looks.set(key, nowMs);
    const [oldest] = this.#looks.keys();
    if (this.#looks.size > LOOKS_KEPT && oldest !== undefined) this.#looks.delete(oldest);
    return true;
  }
}

function addPassageRoute(app: ApiApp, deps: ApiDeps): void {
  const looks = new LookBook();
  app.get(
    '/screening/gates/:site/:node/:gate/passages',
    {
      config: { access: MAY.readScreening },
      schema: {
        summary: 'Health data: what a gate shows now, and its last passages; the look is recorded',
        tags: ['screening'],
        params: GateParams,
        querystring: PassageQuery,
        response: { 200: PassageList, ...refusals(400, 401, 403, 404) },
      },
    },
    async (request) => {
      const session = requireSession(request);
      const name = request.params;
      const { heardAt, status } = requireGate(deps, session, name);
      if (looks.isNew(session.username, nameOf(name), deps.now())) {
        deps.audit.append({
          ...{ actor: session.username, action: 'screening-read', target: nameOf(name) },
          address: request.ip,
        });
      }
      const { screening } = deps.events;
      return {
        heardAt,
        ...(status === undefined ? {} : { status }),
        items: screening.listPassages(name, request.query.limit).map(describePassage),
        selfChecks: screening.listSelfChecks(name, SELF_CHECKS_SHOWN),
      };
    },
  );
}

function refuseEntry(screeningId: string, why: 'unknown' | 'no-decision' | 'closed'): NgatuError {
  switch (why) {
    case 'unknown':
      return new NgatuError(
        'NOT_FOUND',
        `There is no passage "${screeningId}" of this gate; passages are kept for a short time`,
      );
    case 'no-decision':
      return new NgatuError(
        'NOT_FOUND',
        `The gate decided nothing about passage "${screeningId}": there is nothing to compare with`,
      );
    case 'closed':
      return new NgatuError(
        'SCREENING_CLOSED',
        `Cannot enter a reading for passage "${screeningId}": the hour after it is over`,
      );
  }
}

function addReadingRoute(app: ApiApp, deps: ApiDeps): void {
  app.put(
    '/screening/gates/:site/:node/:gate/passages/:screeningId/reading',
    {
      config: { access: MAY.enterThermometer },
      schema: {
        summary: 'Enter what the thermometer said of a passage, or correct it, within the hour',
        tags: ['screening'],
        params: PassageParams,
        body: ReadingRequest,
        response: { 200: PassageAnswer, ...refusals(400, 401, 403, 404, 409) },
      },
    },
    async (request) => {
      const session = requireSession(request);
      const { screeningId, ...name } = request.params;
      requireGate(deps, session, name);
      const at = new Date(deps.now()).toISOString();
      const { username } = session;
      const entry = deps.events.screening.enterReading(
        name,
        { schemaVersion: 1, screeningId, at, ...request.body },
        { enteredBy: username, at },
      );
      if (!('passage' in entry)) throw refuseEntry(screeningId, entry.outcome);
      // which passage, never what was measured
      deps.audit.append({
        ...{ actor: username, action: 'thermometer-enter', target: screeningId },
        detail: `${nameOf(name)} ${entry.outcome}`,
        address: request.ip,
      });
      return describePassage(entry.passage);
    },
  );
}

/** Fever screening: counts for whoever looks after machines, single passages for the few who need them. */
export function addScreeningRoutes(app: ApiApp, deps: ApiDeps): void {
  addGateRoute(app, deps);
  addPassageRoute(app, deps);
  addReadingRoute(app, deps);
}
