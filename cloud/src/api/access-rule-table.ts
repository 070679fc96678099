import type { Role } from '../account/role.ts';

/**
 * Who may use which route, route by route, written down apart from the code that enforces it. The matrix test asks every
 * route as every role in every scope and compares with this table; a route that is not here fails it.
 */
export interface AccessRule {
  /** In letters: R reviewer, S supervisor, O operator, A analyst, U auditor, D admin; `public` is anybody. */
  readonly roles: string;
  /** `one` names a thing at a site, `many` lists what lies at several; `none` has nothing to do with a place. */
  readonly scope: 'one' | 'many' | 'none';
  /** The answer to who may. */
  readonly status: number;
  /** The answer to who may, but not there. */
  readonly outside?: number;
  /** True where it serves somebody who has yet to change the password or to set up a second factor. */
  readonly isForIncomplete?: true;
}

const LETTERS: Readonly<Record<string, Role>> = {
  R: 'reviewer',
  S: 'supervisor',
  O: 'operator',
  A: 'analyst',
  U: 'auditor',
  D: 'admin',
};

export function readRoles(letters: string): readonly Role[] | 'public' {
  if (letters === 'public') return 'public';
  return [...letters].map((letter) => {
    const role = LETTERS[letter];
    if (role === undefined) throw new Error(`no role has the letter ${letter}`);
    return role;
  });
}

const everybody = 'RSOAUD';
const one = { scope: 'one', outside: 404 } as const;
const own = { roles: everybody, scope: 'none', isForIncomplete: true } as const;

export const ACCESS_RULES: Readonly<Record<string, AccessRule>> = {
  'GET /api/v1/health': { roles: 'public', scope: 'none', status: 200 },
  'POST /api/v1/session': { roles: 'public', scope: 'none', status: 401 },
  'GET /api/v1/session': { roles: 'public', scope: 'none', status: 200 },
  'GET /api/v1/session/oidc/start': { roles: 'public', scope: 'none', status: 302 },
  'GET /api/v1/session/oidc/callback': { roles: 'public', scope: 'none', status: 302 },
  'DELETE /api/v1/session': { ...own, status: 204 },

  'GET /api/v1/account': { ...own, status: 200 },
  'PUT /api/v1/account/password': { ...own, status: 204 },
  'POST /api/v1/account/totp': { ...own, status: 200 },
  // Nothing has begun that could be confirmed.
  'POST /api/v1/account/totp/confirm': { ...own, status: 400 },
  'POST /api/v1/account/totp/remove': { roles: everybody, scope: 'none', status: 204 },
  'DELETE /api/v1/account/sessions/{sessionId}': { ...own, status: 204 },

  'GET /api/v1/accounts': { roles: 'DU', scope: 'none', status: 200 },
  'POST /api/v1/accounts': { roles: 'D', scope: 'none', status: 201 },
  'PUT /api/v1/accounts/{username}': { roles: 'D', scope: 'none', status: 200 },
  'POST /api/v1/accounts/{username}/actions': { roles: 'D', scope: 'none', status: 200 },
  'GET /api/v1/areas': { roles: 'DU', scope: 'none', status: 200 },
  'PUT /api/v1/areas': { roles: 'D', scope: 'none', status: 200 },
  'GET /api/v1/policy': { roles: 'DU', scope: 'none', status: 200 },
  'PUT /api/v1/policy': { roles: 'D', scope: 'none', status: 200 },
  'GET /api/v1/audit': { roles: 'U', scope: 'none', status: 200 },
  'GET /api/v1/audit/verification': { roles: 'U', scope: 'none', status: 200 },

  'GET /api/v1/events': { roles: 'RSAU', scope: 'many', status: 200 },
  'GET /api/v1/events/stream': { roles: 'RSAU', scope: 'many', status: 200 },
  'GET /api/v1/events/{eventId}': { ...one, roles: 'RSU', status: 200 },
  'POST /api/v1/events/{eventId}/reviews': { ...one, roles: 'RS', status: 201 },
  'GET /api/v1/events/{eventId}/plate': { ...one, roles: 'RSU', status: 200 },
  'POST /api/v1/events/{eventId}/plate/judgements': { ...one, roles: 'RS', status: 201 },
  'POST /api/v1/plates/search': { roles: 'S', scope: 'many', status: 200 },
  'GET /api/v1/evidence/{sha256}': { ...one, roles: 'RSU', status: 200 },
  'GET /api/v1/events/{eventId}/original': { ...one, roles: 'RSU', status: 200 },
  'POST /api/v1/events/{eventId}/original': { ...one, roles: 'RS', status: 202 },
  // The cases of the matrix carry no seal: there is nothing that an export could prove.
  'POST /api/v1/events/{eventId}/export': { ...one, roles: 'S', status: 409 },
  'GET /api/v1/events/{eventId}/openings': { ...one, roles: 'RSU', status: 200 },
  'POST /api/v1/events/{eventId}/openings': { ...one, roles: 'RS', status: 201 },
  'GET /api/v1/openings': { roles: 'S', scope: 'many', status: 200 },
  'POST /api/v1/events/{eventId}/openings/{openingId}/decision': { ...one, roles: 'S', status: 200 },
  'GET /api/v1/events/{eventId}/holds': { ...one, roles: 'RSU', status: 200 },
  'POST /api/v1/events/{eventId}/holds': { ...one, roles: 'S', status: 201 },
  'POST /api/v1/events/{eventId}/holds/{holdId}/end': { ...one, roles: 'S', status: 200 },
  'GET /api/v1/privacy/policy': { roles: 'RSU', scope: 'none', status: 200 },
  // Tombstones hold no person and no place.
  'GET /api/v1/privacy/tombstones': { roles: 'U', scope: 'none', status: 200 },

  'GET /api/v1/cameras': { roles: 'RSOAU', scope: 'many', status: 200 },
  'GET /api/v1/sensors': { roles: 'RSOAU', scope: 'many', status: 200 },
  'GET /api/v1/sensors/findings': { roles: 'RSOAU', scope: 'many', status: 200 },
  'GET /api/v1/series': { roles: 'RSOAU', scope: 'many', status: 200 },
  'GET /api/v1/nodes': { roles: 'OU', scope: 'many', status: 200 },
  'GET /api/v1/delivery': { roles: 'OU', scope: 'many', status: 200 },
  'GET /api/v1/delivery/drops': { roles: 'OU', scope: 'many', status: 200 },
  'GET /api/v1/dead-letters': { roles: 'OU', scope: 'many', status: 200 },
  'GET /api/v1/screening/gates': { roles: 'RSOAU', scope: 'many', status: 200 },
  'GET /api/v1/screening/gates/{site}/{node}/{gate}/passages': { ...one, roles: 'OU', status: 200 },
  'PUT /api/v1/screening/gates/{site}/{node}/{gate}/passages/{screeningId}/reading': {
    ...{ ...one, roles: 'O', status: 200 },
  },
  'GET /api/v1/directives': { roles: 'RSOAU', scope: 'many', status: 200 },
  'GET /api/v1/cameras/{site}/{node}/{camera}/directives': { ...one, roles: 'RSOAU', status: 200 },
  'POST /api/v1/cameras/{site}/{node}/{camera}/directives': { ...one, roles: 'SO', status: 201 },
  'POST /api/v1/directives/{directiveId}/end': { ...one, roles: 'SO', status: 200 },
};
