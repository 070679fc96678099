import { NgatuError } from '@ngatu/contract';
import { Type } from '@sinclair/typebox';
import { MAY } from '../account/permission.ts';
import type { PlateJudgement, PlateRecord } from '../store/plate-store.ts';
import { normalisePlate } from '../store/plate-text.ts';
import type { ApiApp, ApiDeps } from './api-app.ts';
import { RequestRefused, refuseInvalid } from './api-error.ts';
import { EventParams } from './api-schema.ts';
import { requireEventInScope, scopeSites } from './area-scope.ts';
import {
  PlateJudgementRequest,
  PlateSearchAnswer,
  PlateSearchRequest,
  type PlateStatus,
} from './plate-schema.ts';
import { readReason } from './reason.ts';
import { refusals } from './refusal-schema.ts';
import { parseInstant } from './request-validation.ts';
import { requireSession } from './session-guard.ts';

const PlateStatusRef = Type.Unsafe<PlateStatus>({ $ref: 'PlateStatus#' });

/** Who looks for plates looks for few: more than this a minute is a harvest. */
const SEARCHES_PER_MINUTE = 20;
/** Fewer known characters fit too many vehicles. */
const MIN_KNOWN = 4;
const CASES_LISTED = 50;
/** Cases that the audit trail names of one search. */
const CASES_RECORDED = 20;

function describe({ finding, judgements }: PlateRecord): PlateStatus {
  return { ...(finding === undefined ? {} : { finding }), judgements: [...judgements] };
}

function requirePlate({ events }: ApiDeps, eventId: string): PlateRecord {
  const record = events.plates.find(eventId);
  if (record === undefined) throw new NgatuError('NOT_FOUND', `There is no event "${eventId}"`);
  return record;
}

/** The audit trail outlives every case: what is written there must not name the vehicle. */
function readQuietReason(text: string, plates: readonly (string | undefined)[]): string {
  const reason = readReason(text);
  const written = normalisePlate(reason);
  const isTold = plates.some(
    (plate) => plate !== undefined && plate.length >= MIN_KNOWN && written.includes(plate),
  );
  if (!isTold) return reason;
  throw refuseInvalid([
    { path: '/body/reason', reason: 'Expected no plate: the reason is kept after the case' },
  ]);
}

const PLATE_TEXT = /^[0-9A-Z]{4,12}$/;

/** What the person says, as it is kept. @throws RequestRefused REQUEST_INVALID */
function readJudgement(
  { verdict, text, reason }: PlateJudgementRequest,
  { finding, judgements }: PlateRecord,
): Pick<PlateJudgement, 'verdict' | 'text' | 'reason'> {
  const known = judgements.at(-1)?.text ?? finding?.text;
  const said = text === undefined ? undefined : normalisePlate(text);
  const quiet = readQuietReason(reason, [known, said]);
  if (verdict === 'unreadable') return { verdict, reason: quiet };
  if (verdict === 'confirmed') {
    if (known !== undefined) return { verdict, text: known, reason: quiet };
    throw refuseInvalid([
      { path: '/body/verdict', reason: 'Expected a text that can be confirmed: there is none' },
    ]);
  }
  if (said !== undefined && PLATE_TEXT.test(said)) return { verdict, text: said, reason: quiet };
  throw refuseInvalid([{ path: '/body/text', reason: 'Expected 4 to 12 letters and digits' }]);
}

function addReadRoute(app: ApiApp, deps: ApiDeps): void {
  app.get(
    '/events/:eventId/plate',
    {
      config: { access: MAY.readPlate },
      schema: {
        summary: 'The plate of a case in full, with what persons said of it; the reading is recorded',
        tags: ['plates'],
        params: EventParams,
        response: { 200: PlateStatusRef, ...refusals(400, 401, 403, 404) },
      },
    },
    async (request) => {
      const { eventId } = request.params;
      const session = requireSession(request);
      requireEventInScope(deps.events, session, eventId);
      const record = requirePlate(deps, eventId);
      const { username: actor } = session;
      deps.audit.append({ actor, action: 'plate-read', target: eventId, address: request.ip });
      return describe(record);
    },
  );
}

function addJudgementRoute(app: ApiApp, deps: ApiDeps): void {
  app.post(
    '/events/:eventId/plate/judgements',
    {
      config: { access: MAY.judgePlate },
      schema: {
        summary: 'Confirm or correct what was read on a plate, with a reason',
        description: 'The node’s own reading stays beside it, and so does every judgement before.',
        tags: ['plates'],
        params: EventParams,
        body: PlateJudgementRequest,
        response: { 201: PlateStatusRef, ...refusals(400, 401, 403, 404, 409) },
      },
    },
    async (request, reply) => {
      const { eventId } = request.params;
      const session = requireSession(request);
      const { event } = requireEventInScope(deps.events, session, eventId);
      if (event.letPass !== undefined)
        throw new NgatuError(
          'EVENT_LET_PASS',
          'Cannot judge the plate: the case was let pass, and nobody is flagged',
        );
      const judged = readJudgement(request.body, requirePlate(deps, eventId));
      const { username: judgedBy } = session;
      const judgedAt = new Date(deps.now()).toISOString();
      const judgement = { ...judged, judgedBy, judgedAt };
      const outcome = deps.events.plates.judge(eventId, judgement, request.body.expectedJudgements);
      const { reason } = judged;
      const detail = `${judged.verdict}: ${outcome}`;
      const entry = { actor: judgedBy, action: 'plate-judge', target: eventId, detail, reason } as const;
      deps.audit.append({ ...entry, address: request.ip });
      const record = requirePlate(deps, eventId);
      if (outcome === 'conflict') {
        throw new RequestRefused(
          'PLATE_CONFLICT',
          'Cannot judge the plate: somebody else has judged it meanwhile',
        );
      }
      return reply.status(201).send(describe(record));
    },
  );
}

/** @throws RequestRefused REQUEST_INVALID */
function readPattern(plate: string): string {
  const pattern = plate
    .split('?')
    .map((part) => normalisePlate(part))
    .join('?');
  const isUseful = pattern.replaceAll('?', '').length >= MIN_KNOWN && pattern.length <= 12;
  if (isUseful) return pattern;
  throw refuseInvalid([
    {
      path: '/body/plate',
      reason: `Expected at least ${MIN_KNOWN} known letters and digits, 12 in all at most`,
    },
  ]);
}

function addSearchRoute(app: ApiApp, deps: ApiDeps): void {
  const { events, audit } = deps;
  app.post(
    '/plates/search',
    {
      config: { access: MAY.searchPlate, rateLimit: { max: SEARCHES_PER_MINUTE, timeWindow: 60_000 } },
      schema: {
        summary: 'Cases by plate; the search is recorded with its reason and what it found',
        description: 'The plate travels in the body, so that no address and no log holds it.',
        tags: ['plates'],
        body: PlateSearchRequest,
        response: { 200: PlateSearchAnswer, ...refusals(400, 401, 403, 429) },
      },
    },
    async (request) => {
      const session = requireSession(request);
      const { plate, from, to, limit = CASES_LISTED } = request.body;
      const pattern = readPattern(plate);
      const reason = readQuietReason(request.body.reason, [pattern.replaceAll('?', '')]);
      if (from !== undefined) parseInstant(from, '/body/from');
      if (to !== undefined) parseInstant(to, '/body/to');
      const sites = scopeSites(session);
      const found = events.plates.search({
        ...{ pattern, limit },
        ...(sites === undefined ? {} : { sites }),
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
      });
      const named = found.slice(0, CASES_RECORDED).map(({ eventId }) => eventId);
      const detail = `${found.length} found${named.length === 0 ? '' : `: ${named.join(' ')}`}`;
      audit.append({ actor: session.username, action: 'plate-search', detail, reason, address: request.ip });
      const items = found.flatMap(({ eventId, source }) => {
        const record = events.getEvent(eventId);
        if (record === undefined) return [];
        const { site, camera, kind, capturedAt } = record.event;
        return [{ eventId, source, capturedAt, site, camera, kind }];
      });
      return { items };
    },
  );
}

/** Plates: personal data, in full for who decides cases, and every look is recorded. */
export function addPlateRoutes(app: ApiApp, deps: ApiDeps): void {
  addReadRoute(app, deps);
  addJudgementRoute(app, deps);
  addSearchRoute(app, deps);
}
