import { Slug, Timestamp } from '@ngatu/contract';
import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { AccessPolicy } from '../account/access-policy.ts';
import { ACCOUNT_ACTIONS, USERNAME_PATTERN } from '../account/account-office.ts';
import { AreaFile } from '../account/area-tree.ts';
import { PASSWORD_MAX_LENGTH } from '../account/password-policy.ts';
import { ROLES } from '../account/role.ts';

/** Schemas of accounts, areas, policy and audit trail. */

const closed = { additionalProperties: false } as const;
const AREAS_MAX = 500;

const RoleName = Type.Union(ROLES.map((role) => Type.Literal(role)));
const Username = Type.String({ pattern: USERNAME_PATTERN });
const Secret = Type.String({ minLength: 1, maxLength: PASSWORD_MAX_LENGTH });
const Roles = Type.Array(RoleName, { minItems: 1, maxItems: ROLES.length, uniqueItems: true });
const Areas = Type.Union(
  [Type.Literal('all'), Type.Array(Slug, { maxItems: AREAS_MAX, uniqueItems: true })],
  {
    description: 'The areas that the person sees, with all below them.',
  },
);
const Reason = Type.String({
  minLength: 3,
  maxLength: 200,
  description: 'Why; it goes into the audit trail.',
});
const Method = Type.Union([Type.Literal('password'), Type.Literal('oidc')]);

const SessionEntry = Type.Object(
  {
    sessionId: Type.String(),
    method: Method,
    address: Type.String(),
    agent: Type.Optional(Type.String({ description: 'What the browser called itself.' })),
    createdAt: Timestamp,
    lastUsedAt: Timestamp,
    isCurrent: Type.Boolean(),
  },
  { ...closed, $id: 'SessionEntry' },
);

export const OwnAccount = Type.Object(
  {
    username: Type.String(),
    hasPassword: Type.Boolean(),
    totpSince: Type.Optional(Timestamp),
    recoveryCodesLeft: Type.Integer({ minimum: 0 }),
    isTotpRequired: Type.Boolean({
      description: 'Whether the policy asks for a second factor of this person.',
    }),
    passwordMinLength: Type.Integer(),
    sessions: Type.Array(Type.Unsafe<Static<typeof SessionEntry>>({ $ref: 'SessionEntry#' })),
  },
  { ...closed, $id: 'OwnAccount' },
);
export type OwnAccount = Static<typeof OwnAccount>;

export const PasswordChange = Type.Object({ current: Secret, next: Secret }, closed);
export const PasswordProof = Type.Object({ password: Secret }, closed);
export const TotpStart = Type.Object(
  {
    secret: Type.String({ description: 'Base32, for who types it.' }),
    uri: Type.String({ description: '`otpauth:` address, for a picture that an app reads.' }),
  },
  closed,
);
export type TotpStart = Static<typeof TotpStart>;
export const TotpConfirm = Type.Object({ code: Type.String({ pattern: '^\\d{6}$' }) }, closed);
export const RecoveryCodes = Type.Object(
  { recoveryCodes: Type.Array(Type.String(), { description: 'Shown once; each works once.' }) },
  closed,
);
export type RecoveryCodes = Static<typeof RecoveryCodes>;
export const SessionParams = Type.Object(
  { sessionId: Type.String({ pattern: '^[A-Za-z0-9_-]{12}$' }) },
  closed,
);

export const AccountEntry = Type.Object(
  {
    username: Type.String(),
    roles: Type.Array(RoleName),
    areas: Type.Union([Type.Literal('all'), Type.Array(Type.String())]),
    createdAt: Timestamp,
    disabledAt: Type.Optional(Timestamp),
    lockedUntil: Type.Optional(Timestamp),
    failures: Type.Integer({ minimum: 0, description: 'Wrong attempts since the last sign-in.' }),
    mustChangePassword: Type.Boolean(),
    hasPassword: Type.Boolean(),
    totpSince: Type.Optional(Timestamp),
    oidcIssuer: Type.Optional(
      Type.String({ description: 'The provider that sets roles and areas at each sign-in.' }),
    ),
  },
  { ...closed, $id: 'AccountEntry' },
);
export type AccountEntry = Static<typeof AccountEntry>;
const AccountRef = Type.Unsafe<AccountEntry>({ $ref: 'AccountEntry#' });

export const AccountList = Type.Object({ items: Type.Array(AccountRef) }, closed);
export type AccountList = Static<typeof AccountList>;
export const AccountParams = Type.Object({ username: Type.String({ minLength: 1, maxLength: 64 }) }, closed);
export const AccountCreate = Type.Object(
  { username: Username, roles: Roles, areas: Areas, reason: Reason },
  closed,
);
export type AccountCreate = Static<typeof AccountCreate>;
export const AccountUpdate = Type.Object({ roles: Roles, areas: Areas, reason: Reason }, closed);
export type AccountUpdate = Static<typeof AccountUpdate>;
export const AccountActRequest = Type.Object(
  { action: Type.Union(ACCOUNT_ACTIONS.map((action) => Type.Literal(action))), reason: Reason },
  closed,
);
export type AccountActRequest = Static<typeof AccountActRequest>;
export const AccountAnswer = Type.Object(
  {
    account: AccountRef,
    password: Type.Optional(
      Type.String({ description: 'Shown once; its owner must choose another at the first sign-in.' }),
    ),
  },
  closed,
);
export type AccountAnswer = Static<typeof AccountAnswer>;

export const AreaList = AreaFile;
export type AreaList = Static<typeof AreaList>;
export const AreaReplace = Type.Object({ ...AreaList.properties, reason: Reason }, closed);

export const PolicyReplace = Type.Object(
  { policy: Type.Object(AccessPolicy.properties, closed), reason: Reason },
  closed,
);

export const AuditQuery = Type.Object(
  {
    actor: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    action: Type.Optional(Type.String({ pattern: '^[a-z][a-z0-9-]{1,63}$' })),
    target: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    from: Type.Optional(Timestamp),
    to: Type.Optional(Timestamp),
    before: Type.Optional(
      Type.Integer({ minimum: 1, description: 'Only rows before this one: the next page.' }),
    ),
    limit: Type.Integer({ minimum: 1, maximum: 500, default: 100 }),
  },
  closed,
);

export const AuditList = Type.Object(
  {
    items: Type.Array(
      Type.Object(
        {
          id: Type.Integer(),
          at: Timestamp,
          actor: Type.Optional(Type.String()),
          action: Type.String(),
          target: Type.Optional(Type.String()),
          detail: Type.Optional(Type.String()),
          reason: Type.Optional(Type.String()),
          address: Type.Optional(Type.String()),
          digest: Type.String(),
        },
        closed,
      ),
      { description: 'Newest first.' },
    ),
  },
  closed,
);
export type AuditList = Static<typeof AuditList>;

const Count = Type.Integer({ minimum: 0 });
export const AuditVerification = Type.Object(
  {
    rows: Count,
    head: Type.Object({ id: Count, digest: Type.String() }, closed),
    anchors: Count,
    signedAnchors: Count,
    unanchoredRows: Count,
    faults: Type.Array(
      Type.Object(
        {
          kind: Type.String(),
          row: Type.Optional(Type.Integer()),
          line: Type.Optional(Type.Integer()),
          detail: Type.String(),
        },
        closed,
      ),
      { description: 'Empty where the trail proves itself.' },
    ),
  },
  closed,
);
export type AuditVerification = Static<typeof AuditVerification>;

/** Schemas that the OpenAPI document names once and refers to. */
export const ACCOUNT_SCHEMAS: readonly TSchema[] = [SessionEntry, OwnAccount, AccountEntry, AccessPolicy];
