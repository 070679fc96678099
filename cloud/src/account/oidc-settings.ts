import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorMessage, NgatuError, parseWithSchema, Slug } from '@ngatu/contract';
import { type Static, Type } from '@sinclair/typebox';
import { ROLES } from './role.ts';

const closed = { additionalProperties: false } as const;

const Grant = Type.Object(
  {
    claim: Type.String({ minLength: 1, maxLength: 128, description: 'Name of a claim of the ID token.' }),
    value: Type.String({
      minLength: 1,
      maxLength: 256,
      description: 'The claim is this text, or a list that holds it.',
    }),
    roles: Type.Array(Type.Union(ROLES.map((role) => Type.Literal(role))), {
      description: 'Roles that it gives.',
    }),
    areas: Type.Union([Type.Literal('all'), Type.Array(Slug)], { description: 'Areas that it gives.' }),
  },
  closed,
);

/** `oidc.json` in the data folder of the centre. */
export const OidcSettings = Type.Object(
  {
    version: Type.Literal(1),
    name: Type.String({
      minLength: 1,
      maxLength: 60,
      description: 'What the button of the sign-in page says.',
    }),
    issuer: Type.String({ pattern: '^https?://', description: 'https, or http on this machine.' }),
    clientId: Type.String({ minLength: 1, maxLength: 256 }),
    clientSecret: Type.Optional(
      Type.Union(
        [
          Type.Object({ env: Type.String({ pattern: '^[A-Z][A-Z0-9_]*$' }) }, closed),
          Type.Object({ file: Type.String({ minLength: 1 }) }, closed),
        ],
        { description: 'Where the secret is; absent for a public client.' },
      ),
    ),
    scope: Type.String({ default: 'openid profile', pattern: '(^| )openid( |$)' }),
    usernameClaim: Type.String({ default: 'preferred_username', minLength: 1 }),
    grants: Type.Array(Grant, {
      minItems: 1,
      maxItems: 500,
      description: 'All that fit are added up. Who gets no role may not sign in.',
    }),
  },
  closed,
);
export type OidcSettings = Static<typeof OidcSettings>;

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Whether the issuer is on this machine: the only one that may do without TLS. */
export function isLoopback(issuer: string): boolean {
  return LOOPBACK.has(new URL(issuer).hostname);
}

/**
 * Reads `oidc.json`, or undefined where the centre has no provider.
 * @throws NgatuError ACCESS_SETTINGS_INVALID with the path and the reason
 */
export function loadOidcSettings(dataDir: string): OidcSettings | undefined {
  const path = join(dataDir, 'oidc.json');
  if (!existsSync(path)) return undefined;
  const what = `settings of single sign-on "${path}"`;
  let raw: unknown;
  try {
    raw = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new NgatuError('ACCESS_SETTINGS_INVALID', `Cannot read ${what}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
  const defaults = { scope: 'openid profile', usernameClaim: 'preferred_username' };
  const settings = parseWithSchema(OidcSettings, isRecord(raw) ? { ...defaults, ...raw } : raw, {
    ...{ code: 'ACCESS_SETTINGS_INVALID', what },
  });
  if (settings.issuer.startsWith('http:') && !isLoopback(settings.issuer)) {
    throw new NgatuError('ACCESS_SETTINGS_INVALID', `Cannot use ${what}: /issuer must be https`);
  }
  return settings;
}

/** A text or list is no settings, and would be spread letter by letter. */
function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The secret that the settings point to; undefined for a public client.
 * @throws NgatuError ACCESS_SETTINGS_INVALID where it is not there
 */
export function readClientSecret({ clientSecret }: OidcSettings): string | undefined {
  if (clientSecret === undefined) return undefined;
  if ('env' in clientSecret) {
    const secret = process.env[clientSecret.env];
    if (secret !== undefined && secret !== '') return secret;
    throw new NgatuError('ACCESS_SETTINGS_INVALID', `Cannot sign on: ${clientSecret.env} is not set`);
  }
  try {
    return readFileSync(clientSecret.file, 'utf8').trim();
  } catch (error) {
    throw new NgatuError('ACCESS_SETTINGS_INVALID', `Cannot read the client secret: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}
