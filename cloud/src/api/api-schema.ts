import {
  CAMERA_STATES,
  CameraInterval,
  DIRECTIVE_MAX_MS,
  DirectiveId,
  DirectiveKind,
  ERROR_CODES,
  type ErrorCode,
  Event,
  EventId,
  EventKind,
  EvidenceFile,
  EvidenceManifest,
  LawRow,
  LET_PASS_REASONS,
  NodeState,
  Readiness,
  ReadingQuality,
  Sha256,
  Slug,
  Timestamp,
} from '@ngatu/contract';
import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { ROLES } from '../account/role.ts';
import { REVIEW_STATES } from '../store/event-store.ts';
import { FILE_WHEREABOUTS } from './original-schema.ts';
import type { PlateGlance } from './plate-schema.ts';
import { SealStatus } from './seal-schema.ts';

/** Schemas of the API: they validate requests, type the handlers and the console, and make the OpenAPI document. */

const closed = { additionalProperties: false } as const;
const Milliseconds = Type.Number({ minimum: 0 });
const Count = Type.Integer({ minimum: 0 });

export const ApiError = Type.Object(
  {
    code: Type.Union((Object.keys(ERROR_CODES) as ErrorCode[]).map((code) => Type.Literal(code))),
    message: Type.String(),
    details: Type.Optional(Type.Unknown()),
  },
  { ...closed, $id: 'ApiError', description: 'The one shape of every refusal.' },
);
export type ApiError = Static<typeof ApiError>;

const Role = Type.Union(ROLES.map((role) => Type.Literal(role)));

export const SignInRequest = Type.Object(
  {
    username: Type.String({ minLength: 1, maxLength: 64 }),
    password: Type.String({ minLength: 1, maxLength: 256 }),
    code: Type.Optional(
      Type.String({ minLength: 6, maxLength: 32, description: 'Of the second factor, or a recovery code.' }),
    ),
  },
  closed,
);

export const SignedInAccount = Type.Object(
  {
    username: Type.String(),
    roles: Type.Array(Role),
    areas: Type.Union([Type.Literal('all'), Type.Array(Type.String())], {
      description: 'The areas that the person sees, with all below them.',
    }),
    method: Type.Union([Type.Literal('password'), Type.Literal('oidc')]),
    needs: Type.Optional(
      Type.Union([Type.Literal('password'), Type.Literal('totp')], {
        description: 'What the person has to do before anything else.',
      }),
    ),
    expiresAt: Type.String({ description: 'When the session ends by age.' }),
  },
  { ...closed, $id: 'SignedInAccount' },
);
export type SignedInAccount = Static<typeof SignedInAccount>;

export const SessionStatus = Type.Object(
  {
    account: Type.Optional(
      Type.Unsafe<SignedInAccount>({
        $ref: 'SignedInAccount#',
        description: 'Absent where nobody is signed in.',
      }),
    ),
    singleSignOn: Type.Optional(
      Type.Object({ name: Type.String() }, { ...closed, description: 'The provider, where there is one.' }),
    ),
  },
  closed,
);
export const SignedOut = Type.Object(
  { logoutUrl: Type.String({ description: 'Where the browser ends its session at the provider as well.' }) },
  closed,
);
export type SignedOut = Static<typeof SignedOut>;
export type SessionStatus = Static<typeof SessionStatus>;

const ReviewStateName = Type.Union(
  REVIEW_STATES.map((state) => Type.Literal(state)),
  { description: 'Open, or what the newest decision says.' },
);

const LetPassReason = Type.Union(
  LET_PASS_REASONS.map((reason) => Type.Literal(reason)),
  { description: 'Why the case was let pass; absent where it is one to decide.' },
);

export const EventQuery = Type.Object(
  {
    kinds: Type.Optional(
      Type.Array(EventKind, { maxItems: 16, description: 'Repeat the parameter for several.' }),
    ),
    cameras: Type.Optional(Type.Array(Slug, { maxItems: 256 })),
    review: Type.Optional(ReviewStateName),
    letPass: Type.Union(
      (['without', 'only', 'with'] as const).map((choice) => Type.Literal(choice)),
      { default: 'without', description: 'Whether cases that were let pass are listed.' },
    ),
    from: Type.Optional(Timestamp),
    to: Type.Optional(Timestamp),
    cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 512 })),
    limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
  },
  closed,
);

export const EventSummary = Type.Object(
  {
    eventId: EventId,
    kind: EventKind,
    site: Slug,
    node: Slug,
    camera: Slug,
    rule: Slug,
    label: Type.String({ description: 'Class of the road user.' }),
    capturedAt: Timestamp,
    ingestedAt: Timestamp,
    review: ReviewStateName,
    letPass: Type.Optional(LetPassReason),
    stillSha256: Type.Optional(Sha256),
    plate: Type.Optional(Type.Unsafe<PlateGlance>({ $ref: 'PlateGlance#' })),
  },
  { ...closed, $id: 'EventSummary' },
);
export type EventSummary = Static<typeof EventSummary>;

export const EventPage = Type.Object(
  {
    items: Type.Array(Type.Unsafe<EventSummary>({ $ref: 'EventSummary#' })),
    nextCursor: Type.Optional(Type.String({ description: 'Absent on the last page.' })),
  },
  closed,
);
export type EventPage = Static<typeof EventPage>;

const Decision = Type.Union([Type.Literal('confirmed'), Type.Literal('rejected')]);

export const Review = Type.Object(
  { decision: Decision, reason: Type.String(), reviewer: Type.String(), decidedAt: Timestamp },
  { ...closed, $id: 'Review' },
);
export type Review = Static<typeof Review>;

const StoredFile = Type.Object({ ...EvidenceFile.properties, ...FILE_WHEREABOUTS }, closed);

const LawReading = Type.Object(
  {
    kind: EventKind,
    state: Type.Union(
      (['found', 'not-verified', 'not-recorded'] as const).map((state) => Type.Literal(state)),
      { description: 'Whether clauses are recorded for the instant of the case, and were checked for it.' },
    ),
    rows: Type.Array(Type.Unsafe<LawRow>({ $ref: 'LawRow#' }), {
      description: 'Clauses in force at the instant of the case; a person chooses among several.',
    }),
    lapsesAt: Timestamp,
  },
  { ...closed, description: 'One reading of the case with what the law says of it.' },
);
export type LawReading = Static<typeof LawReading>;

export const EventDetail = Type.Object(
  {
    event: Type.Unsafe<Event>({ $ref: 'Event#' }),
    ingestedAt: Timestamp,
    review: ReviewStateName,
    evidence: Type.Optional(
      Type.Object(
        { createdAt: Timestamp, files: Type.Array(StoredFile), missing: EvidenceManifest.properties.missing },
        { ...closed, description: 'Absent until the manifest has arrived.' },
      ),
    ),
    seal: Type.Optional(SealStatus),
    reviews: Type.Array(Type.Unsafe<Review>({ $ref: 'Review#' }), { description: 'Oldest first.' }),
    laws: Type.Array(LawReading, {
      description: 'The reading of the event and its alternatives; none of a case that was let pass.',
    }),
  },
  { ...closed, $id: 'EventDetail' },
);
export type EventDetail = Static<typeof EventDetail>;

export const EventParams = Type.Object({ eventId: EventId }, closed);
export const EvidenceParams = Type.Object({ sha256: Sha256 }, closed);

export const ReviewRequest = Type.Object(
  {
    decision: Decision,
    reason: Type.String({
      minLength: 3,
      maxLength: 500,
      description: 'Why; counted without the space around it.',
    }),
    expectedReviews: Type.Integer({
      minimum: 0,
      maximum: 100_000,
      description: 'How many decisions the reviewer has seen. Another number in the store is a conflict.',
    }),
  },
  closed,
);
export type ReviewRequest = Static<typeof ReviewRequest>;

export const CameraQuery = Type.Object(
  {
    from: Type.Optional(Timestamp),
    to: Type.Optional(Timestamp),
    buckets: Type.Integer({
      minimum: 0,
      maximum: 96,
      default: 0,
      description: 'Into how many equal parts the timeline of each camera is cut; 0 for none.',
    }),
  },
  { ...closed, description: 'The last 24 hours where no period is given; at most 31 days.' },
);

const shares = {
  analysedMs: Milliseconds,
  degradedMs: Milliseconds,
  blindMs: Milliseconds,
  unreportedMs: Milliseconds,
};
export const TimelineBucket = Type.Object({ from: Timestamp, to: Timestamp, ...shares }, closed);
export type TimelineBucket = Static<typeof TimelineBucket>;

export const CameraOverview = Type.Object(
  {
    site: Slug,
    node: Slug,
    camera: Slug,
    now: Type.Union(
      [...CAMERA_STATES, 'unreported' as const].map((state) => Type.Literal(state)),
      {
        description:
          'What the camera does now; `unreported` where its node is offline or its last report is old.',
      },
    ),
    reason: Type.Optional(Type.String({ description: 'Why it is not analysed, where the node said so.' })),
    lastReportAt: Type.Optional(Timestamp),
    nodeState: Type.Optional(NodeState.properties.state),
    ...shares,
    blindByReason: Type.Record(Type.String(), Milliseconds),
    readiness: Type.Optional(Readiness),
    blockedByRule: Type.Record(Type.String(), Milliseconds, {
      description: 'How long each rule was kept from looking although the camera looked.',
    }),
    gaps: Type.Array(CameraInterval, { description: 'Not analysed stretches, newest first, at most 100.' }),
    timeline: Type.Array(TimelineBucket),
  },
  { ...closed, $id: 'CameraOverview' },
);
export type CameraOverview = Static<typeof CameraOverview>;

export const CameraReport = Type.Object(
  {
    from: Timestamp,
    to: Timestamp,
    cameras: Type.Array(Type.Unsafe<CameraOverview>({ $ref: 'CameraOverview#' })),
  },
  closed,
);
export type CameraReport = Static<typeof CameraReport>;

export const CameraParams = Type.Object({ site: Slug, node: Slug, camera: Slug }, closed);
export const DirectiveParams = Type.Object({ directiveId: DirectiveId }, closed);

const Reason = Type.String({
  minLength: 3,
  maxLength: 200,
  description: 'Why; counted without the space around it.',
});

export const DirectiveRequest = Type.Object(
  {
    kind: DirectiveKind,
    from: Type.Optional(Timestamp),
    until: Type.Unsafe<string>({
      ...Timestamp,
      description: `When it ends by itself; at most ${DIRECTIVE_MAX_MS / 3_600_000} hours after its beginning.`,
    }),
    reason: Reason,
  },
  { ...closed, description: 'From now on where `from` is absent.' },
);
export type DirectiveRequest = Static<typeof DirectiveRequest>;

export const DirectiveEndRequest = Type.Object({ reason: Reason }, closed);

export const DirectiveQuery = Type.Object(
  {
    ended: Type.Boolean({ default: false, description: 'True lists also those that have ended.' }),
    limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
  },
  closed,
);

export const CameraDirective = Type.Object(
  {
    directiveId: DirectiveId,
    site: Slug,
    node: Slug,
    camera: Slug,
    kind: DirectiveKind,
    from: Timestamp,
    until: Timestamp,
    plannedUntil: Timestamp,
    reason: Type.String(),
    declaredBy: Type.String(),
    declaredAt: Timestamp,
    endedBy: Type.Optional(Type.String()),
    endedAt: Type.Optional(Timestamp),
    endReason: Type.Optional(Type.String()),
    state: Type.Union((['planned', 'active', 'ended'] as const).map((state) => Type.Literal(state))),
    delivered: Type.Boolean({
      description: 'True once the node has said that it holds the directive as it is here.',
    }),
  },
  { ...closed, $id: 'CameraDirective' },
);
export type CameraDirective = Static<typeof CameraDirective>;

export const DirectiveList = Type.Object(
  {
    items: Type.Array(Type.Unsafe<CameraDirective>({ $ref: 'CameraDirective#' }), {
      description: 'Newest declaration first.',
    }),
  },
  closed,
);
export type DirectiveList = Static<typeof DirectiveList>;

export const SeriesRequest = Type.Object(
  {
    metric: Type.String({ pattern: '^[a-z][A-Za-z0-9]*$', maxLength: 64 }),
    from: Timestamp,
    to: Timestamp,
    stepMs: Type.Integer({ minimum: 1_000, maximum: 31 * 86_400_000 }),
    aggregate: Type.Union((['sum', 'mean', 'max', 'min', 'last'] as const).map((name) => Type.Literal(name))),
    site: Type.Optional(Slug),
    node: Type.Optional(Slug),
    camera: Type.Optional(Slug),
    includeBad: Type.Optional(
      Type.Boolean({ description: 'Readings of quality `bad` as well; without it they are left out.' }),
    ),
    tag: Type.Optional(
      Type.Array(Type.String({ pattern: '^[a-z][A-Za-z0-9]*:.{1,64}$' }), {
        maxItems: 8,
        description: '`name:value`; only measurements with this tag.',
      }),
    ),
    groupBy: Type.Optional(Type.String({ pattern: '^[a-z][A-Za-z0-9]*$', maxLength: 64 })),
  },
  closed,
);
export type SeriesRequest = Static<typeof SeriesRequest>;

export const SeriesAnswer = Type.Object(
  {
    lines: Type.Array(
      Type.Object(
        {
          group: Type.Optional(Type.String()),
          camera: Type.Optional(Type.String()),
          unit: Type.Optional(Type.String({ description: 'UCUM code.' })),
          points: Type.Array(
            Type.Object(
              { at: Type.String(), value: Type.Number(), quality: Type.Optional(ReadingQuality) },
              closed,
            ),
          ),
        },
        closed,
      ),
    ),
  },
  closed,
);

export type SeriesAnswer = Static<typeof SeriesAnswer>;

export const NodeList = Type.Object(
  {
    nodes: Type.Array(
      Type.Object(
        {
          site: Slug,
          node: Slug,
          state: Type.Unsafe<NodeState>({ $ref: 'NodeState#' }),
          committedThrough: Count,
          missing: Type.Array(Count, {
            description: 'Numbers of the outbox that the centre has not got yet.',
          }),
        },
        closed,
      ),
    ),
  },
  closed,
);

export const Health = Type.Object({ status: Type.Literal('ok') }, closed);

/** Schemas that the OpenAPI document names once and refers to. */
export const SHARED_SCHEMAS: readonly TSchema[] = [
  ApiError,
  SignedInAccount,
  LawRow,
  Event,
  EventSummary,
  Review,
  EventDetail,
  NodeState,
  CameraOverview,
  CameraDirective,
];
