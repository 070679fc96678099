import { MAY } from '../account/permission.ts';
import { AuditList, AuditQuery, AuditVerification } from './account-schema.ts';
import type { ApiApp, ApiDeps } from './api-app.ts';
import { refusals } from './refusal-schema.ts';
import { parseInstant } from './request-validation.ts';
import { requireSession } from './session-guard.ts';

/** A verification reads the whole trail. */
const VERIFICATIONS_PER_MINUTE = 6;

function describeQuery(query: Readonly<Record<string, unknown>>): string {
  return Object.entries(query)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(' ');
}

/** The audit trail, for auditors. To look at it is recorded in it. */
export function addAuditRoutes(app: ApiApp, { audit, verifyAudit }: ApiDeps): void {
  app.get(
    '/audit',
    {
      config: { access: MAY.readAudit },
      schema: {
        summary: 'Who saw and did what, when, from where and why; the reading is recorded',
        tags: ['audit'],
        querystring: AuditQuery,
        response: { 200: AuditList, ...refusals(400, 401, 403) },
      },
    },
    async (request) => {
      const { from, to } = request.query;
      if (from !== undefined) parseInstant(from, '/query/from');
      if (to !== undefined) parseInstant(to, '/query/to');
      const actor = requireSession(request).username;
      const detail = describeQuery(request.query);
      const items = audit.find(request.query);
      audit.append({ actor, action: 'audit-read', detail, address: request.ip });
      return { items };
    },
  );
  app.get(
    '/audit/verification',
    {
      config: {
        access: MAY.readAudit,
        rateLimit: { max: VERIFICATIONS_PER_MINUTE, timeWindow: 60_000 },
      },
      schema: {
        summary: 'Prove the whole trail: every row, and where it stood when it was anchored',
        tags: ['audit'],
        response: { 200: AuditVerification, ...refusals(401, 403, 429) },
      },
    },
    async () => {
      const { faults, ...report } = await verifyAudit();
      return { ...report, faults: [...faults] };
    },
  );
}
