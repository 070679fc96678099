import type { ErrorCode, EventKind } from '@ngatu/contract';
import type {
  CameraDirective,
  CameraReport,
  DirectiveList,
  DirectiveRequest,
  EventDetail,
  EventPage,
  ReviewRequest,
  SeriesAnswer,
  SeriesRequest,
  SessionStatus,
  SignedInAccount,
  SignedOut,
} from '../../src/api/api-schema.ts';
import type { DeliveryReport } from '../../src/api/delivery-schema.ts';
import type { Hold, HoldList } from '../../src/api/hold-schema.ts';
import type { OpeningList, OpeningStatus } from '../../src/api/opening-schema.ts';
import type { OriginalStatus } from '../../src/api/original-schema.ts';
import { endOfDay, startOfDay } from './day.ts';

export type Account = SignedInAccount;

/** The API refused, or could not be reached (`NETWORK`). */
export class ApiFailure extends Error {
  constructor(
    readonly code: ErrorCode | 'NETWORK',
    message: string,
    readonly details: unknown,
    readonly retryAfterSeconds: number,
  ) {
    super(message);
  }
}

/** What the list is narrowed to; an absent field narrows nothing. */
export interface ListFilter {
  readonly kind?: EventKind;
  readonly camera?: string;
  readonly review?: EventDetail['review'];
  /** Cases that were let pass, which nobody decides; without it they are left out. */
  readonly letPass?: true;
  /** First and last day in Vietnam's time, `2025-11-22`. */
  readonly firstDay?: string;
  readonly lastDay?: string;
}

interface CallOptions {
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  /** Polling: does not keep the session alive. */
  readonly background?: boolean;
}

async function readFailure(response: Response): Promise<ApiFailure> {
  const retryAfterSeconds = Number(response.headers.get('retry-after') ?? '1');
  const text = await response.text();
  try {
    const { code, message, details } = JSON.parse(text);
    return new ApiFailure(code, message, details, retryAfterSeconds);
  } catch (error) {
    return new ApiFailure(
      'NETWORK',
      `Not an answer of the API: ${String(error)}`,
      undefined,
      retryAfterSeconds,
    );
  }
}

/** @throws ApiFailure; an aborted call throws the browser's AbortError */
export async function call<T>(method: string, path: string, options: CallOptions = {}): Promise<T> {
  const { body, signal, background } = options;
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(background === true ? { 'x-ngatu-background': '1' } : {}),
      },
    });
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new ApiFailure('NETWORK', String(error), undefined, 1);
  }
  if (!response.ok) throw await readFailure(response);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

export function buildQuery(values: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values))
    if (value !== undefined) query.append(name, String(value));
  return query.size === 0 ? '' : `?${query}`;
}

export async function fetchAccount(options: { background?: boolean } = {}): Promise<Account | undefined> {
  return (await call<SessionStatus>('GET', '/session', options)).account;
}

/** Who is signed in, and how else one may sign in. */
export function fetchSession(): Promise<SessionStatus> {
  return call<SessionStatus>('GET', '/session');
}

export async function signIn(credentials: {
  readonly username: string;
  readonly password: string;
  readonly code?: string;
}): Promise<Account | undefined> {
  return (await call<SessionStatus>('POST', '/session', { body: credentials })).account;
}

/** Ends the session; gives the address where it ends at the provider of single sign-on as well. */
export async function signOut(): Promise<string | undefined> {
  return (await call<SignedOut | undefined>('DELETE', '/session'))?.logoutUrl;
}

export interface PageRequest {
  readonly filter: ListFilter;
  readonly limit: number;
  readonly cursor?: string;
  /** Only what was captured before this instant. */
  readonly to?: string;
  readonly signal?: AbortSignal;
}

export function fetchEvents({ filter, limit, cursor, to, signal }: PageRequest): Promise<EventPage> {
  const { kind, camera, review, letPass, firstDay, lastDay } = filter;
  const ends = [to, lastDay === undefined ? undefined : endOfDay(lastDay)].filter((end) => end !== undefined);
  const query = {
    ...{ kinds: kind, cameras: camera, review, cursor, limit },
    letPass: letPass === true ? 'only' : undefined,
    from: firstDay === undefined ? undefined : startOfDay(firstDay),
    to: ends.sort()[0],
  };
  return call<EventPage>('GET', `/events${buildQuery(query)}`, signal === undefined ? {} : { signal });
}

export function fetchEvent(eventId: string, signal: AbortSignal): Promise<EventDetail> {
  return call<EventDetail>('GET', `/events/${eventId}`, { signal });
}

export function sendReview(eventId: string, body: ReviewRequest): Promise<EventDetail> {
  return call<EventDetail>('POST', `/events/${eventId}/reviews`, { body });
}

/** Who asked to see the original of a case, and whether it is open for the person who is signed in. */
export function fetchOpenings(eventId: string): Promise<OpeningList> {
  return call<OpeningList>('GET', `/events/${eventId}/openings`, { background: true });
}

export function requestOpening(eventId: string, reason: string): Promise<OpeningStatus> {
  return call<OpeningStatus>('POST', `/events/${eventId}/openings`, { body: { reason } });
}

export function decideOpening(
  { eventId, openingId }: Pick<OpeningStatus, 'eventId' | 'openingId'>,
  decision: 'granted' | 'refused',
  reason: string,
): Promise<OpeningStatus> {
  const path = `/events/${eventId}/openings/${openingId}/decision`;
  return call<OpeningStatus>('POST', path, { body: { decision, reason } });
}

/** Requests to open an original that wait for a second person, oldest first. */
export async function fetchWaitingOpenings(signal: AbortSignal): Promise<readonly OpeningStatus[]> {
  const { items } = await call<Pick<OpeningList, 'items'>>('GET', '/openings', { signal, background: true });
  return items;
}

export function fetchHolds(eventId: string): Promise<HoldList> {
  return call<HoldList>('GET', `/events/${eventId}/holds`);
}

export function placeHold(eventId: string, reason: string): Promise<Hold> {
  return call<Hold>('POST', `/events/${eventId}/holds`, { body: { reason } });
}

export function liftHold({ eventId, holdId }: Hold, reason: string): Promise<HoldList> {
  return call<HoldList>('POST', `/events/${eventId}/holds/${holdId}/end`, { body: { reason } });
}

/** Where the originals of a case are; asked while one is on its way. */
export function fetchOriginals(eventId: string, signal: AbortSignal): Promise<OriginalStatus> {
  return call<OriginalStatus>('GET', `/events/${eventId}/original`, { signal, background: true });
}

export function requestOriginal(eventId: string, reason: string): Promise<OriginalStatus> {
  return call<OriginalStatus>('POST', `/events/${eventId}/original`, { body: { reason } });
}

/** The signed archive of a case, with the name that the centre gave it. */
export async function exportCase(eventId: string, reason: string): Promise<{ name: string; content: Blob }> {
  let response: Response;
  try {
    response = await fetch(`/api/v1/events/${eventId}/export`, {
      method: 'POST',
      body: JSON.stringify({ reason }),
      headers: { 'content-type': 'application/json' },
    });
    if (!response.ok) throw await readFailure(response);
    const name = /filename="([\w.-]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1];
    return { name: name ?? `${eventId}.zip`, content: await response.blob() };
  } catch (error) {
    // also where the archive breaks off in the middle: half of one is worth nothing
    throw error instanceof ApiFailure ? error : new ApiFailure('NETWORK', String(error), undefined, 1);
  }
}

export function fetchCameras(request: {
  fromMs: number;
  toMs: number;
  buckets: number;
  signal: AbortSignal;
}): Promise<CameraReport> {
  const { fromMs, toMs, buckets, signal } = request;
  const query = { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString(), buckets };
  return call<CameraReport>('GET', `/cameras${buildQuery(query)}`, { signal, background: true });
}

/** What the nodes have delivered, and what is missing. */
export function fetchDelivery(signal: AbortSignal): Promise<DeliveryReport> {
  return call<DeliveryReport>('GET', '/delivery', { signal, background: true });
}

/** Directives in force and to come, of every camera. */
export async function fetchDirectives(signal: AbortSignal): Promise<readonly CameraDirective[]> {
  return (await call<DirectiveList>('GET', '/directives?limit=200', { signal, background: true })).items;
}

export function declareDirective(
  { site, node, camera }: { site: string; node: string; camera: string },
  body: DirectiveRequest,
): Promise<CameraDirective> {
  return call<CameraDirective>('POST', `/cameras/${site}/${node}/${camera}/directives`, { body });
}

export function endDirective(directiveId: string, reason: string): Promise<CameraDirective> {
  return call<CameraDirective>('POST', `/directives/${directiveId}/end`, { body: { reason } });
}

export async function fetchSeries(
  { tag, ...query }: SeriesRequest,
  signal: AbortSignal,
): Promise<SeriesAnswer['lines']> {
  const tags = (tag ?? []).map((value) => `&tag=${encodeURIComponent(value)}`).join('');
  const path = `/series${buildQuery(query)}${tags}`;
  return (await call<SeriesAnswer>('GET', path, { signal, background: true })).lines;
}

export function buildEvidenceUrl(sha256: string): string {
  return `/api/v1/evidence/${sha256}`;
}
