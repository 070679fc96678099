import type { ErrorCode, EventKind } from '@ngatu/contract';
import type {
  CameraReport,
  EventDetail,
  EventPage,
  ReviewRequest,
  SessionStatus,
  SignedInAccount,
} from '../../src/api/api-schema.ts';

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
async function call<T>(method: string, path: string, options: CallOptions = {}): Promise<T> {
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

function buildQuery(values: Readonly<Record<string, string | number | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values))
    if (value !== undefined) query.append(name, String(value));
  return query.size === 0 ? '' : `?${query}`;
}

export async function fetchAccount(options: { background?: boolean } = {}): Promise<Account | undefined> {
  return (await call<SessionStatus>('GET', '/session', options)).account;
}

export async function signIn(username: string, password: string): Promise<Account | undefined> {
  return (await call<SessionStatus>('POST', '/session', { body: { username, password } })).account;
}

export function signOut(): Promise<void> {
  return call<void>('DELETE', '/session');
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
  const query = { kinds: filter.kind, cameras: filter.camera, review: filter.review, to, cursor, limit };
  return call<EventPage>('GET', `/events${buildQuery(query)}`, signal === undefined ? {} : { signal });
}

export function fetchEvent(eventId: string, signal: AbortSignal): Promise<EventDetail> {
  return call<EventDetail>('GET', `/events/${eventId}`, { signal });
}

export function sendReview(eventId: string, body: ReviewRequest): Promise<EventDetail> {
  return call<EventDetail>('POST', `/events/${eventId}/reviews`, { body });
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

export function buildEvidenceUrl(sha256: string): string {
  return `/api/v1/evidence/${sha256}`;
}
