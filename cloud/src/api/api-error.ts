import { type ErrorCode, errorMessage, NgatuError, type SchemaIssue } from '@ngatu/contract';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { SignInLocked } from '../account/sign-in.ts';
import type { ApiError } from './api-schema.ts';

/** The refusals that say what is wrong with a request, and their HTTP status. */
const HTTP_STATUS: Partial<Record<ErrorCode, number>> = {
  REQUEST_INVALID: 400,
  UNAUTHENTICATED: 401,
  CREDENTIALS_INVALID: 401,
  SECOND_FACTOR_REQUIRED: 401,
  SECOND_FACTOR_WRONG: 400,
  FORBIDDEN: 403,
  ORIGINAL_SEALED: 403,
  OPENING_CONFLICT: 409,
  ACCOUNT_INCOMPLETE: 403,
  NOT_FOUND: 404,
  EVIDENCE_UNKNOWN: 404,
  REVIEW_CONFLICT: 409,
  PLATE_CONFLICT: 409,
  EVENT_LET_PASS: 409,
  SEAL_MISSING: 409,
  ACCOUNT_TAKEN: 409,
  DIRECTIVE_ENDED: 409,
  DIRECTIVE_LIMIT: 409,
  SCREENING_CLOSED: 409,
  RATE_LIMITED: 429,
};

/** A refusal with more to say than its code and message. */
export class RequestRefused extends NgatuError {
  readonly details: unknown;
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ErrorCode,
    message: string,
    options: {
      details?: unknown;
      status?: number;
      headers?: Readonly<Record<string, string>>;
      cause?: unknown;
    } = {},
  ) {
    super(code, message, { cause: options.cause, retryable: code === 'RATE_LIMITED' });
    this.details = options.details;
    this.status = options.status;
    this.headers = options.headers ?? {};
  }
}

/** A request whose body, query or path does not fit; `issues` names each place, as `/query/limit`. */
export function refuseInvalid(issues: readonly SchemaIssue[]): RequestRefused {
  const list = issues.map(({ path, reason }) => `${path}: ${reason}`).join('; ');
  return new RequestRefused('REQUEST_INVALID', `Cannot accept the request: ${list}`, { details: { issues } });
}

interface Refusal {
  readonly status: number;
  readonly body: ApiError;
  readonly headers: Readonly<Record<string, string>>;
}

const INTERNAL: Refusal = {
  status: 500,
  body: { code: 'INTERNAL', message: 'The request could not be answered; the log of the API says why' },
  headers: {},
};

/** What a store says of itself names its files; the caller is told only that it does not answer. */
const STORE_UNAVAILABLE: Refusal = {
  status: 503,
  body: {
    code: 'STORE_UNAVAILABLE',
    message: 'Cannot answer: a store of the centre cannot be read or written now',
  },
  headers: { 'retry-after': '1' },
};

function refusalOfOwnError(error: NgatuError): Refusal {
  if (error.code === 'STORE_UNAVAILABLE' || error.code === 'DISK_FULL') return STORE_UNAVAILABLE;
  const known = HTTP_STATUS[error.code];
  if (known === undefined || known >= 500) return INTERNAL;
  const body: ApiError = { code: error.code, message: error.message };
  if (error instanceof SignInLocked) {
    return { status: known, body, headers: { 'retry-after': String(error.retryAfterSeconds) } };
  }
  if (!(error instanceof RequestRefused)) return { status: known, body, headers: {} };
  return {
    status: error.status ?? known,
    body: error.details === undefined ? body : { ...body, details: error.details },
    headers: error.headers,
  };
}

/** What the caller is told of `error`. Nothing of an unforeseen failure leaves the process. */
function refusalOf(error: unknown): Refusal {
  if (error instanceof NgatuError) return refusalOfOwnError(error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (/^SQLITE_(BUSY|LOCKED|FULL|IOERR)/.test(code)) return STORE_UNAVAILABLE;
  const status = (error as Partial<FastifyError>).statusCode;
  if (code.startsWith('FST_ERR_') && status !== undefined && status >= 400 && status < 500) {
    return {
      status,
      body: { code: 'REQUEST_INVALID', message: `Cannot accept the request: ${errorMessage(error)}` },
      headers: {},
    };
  }
  return INTERNAL;
}

/** Answers every failure in the one shape and logs what nobody foresaw. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { status, body, headers } = refusalOf(error);
  if (status >= 500) request.log.error({ err: error, route: request.routeOptions.url }, 'request failed');
  reply.status(status).headers(headers).type('application/json; charset=utf-8').send(JSON.stringify(body));
}

export function answerNotFound(request: FastifyRequest, reply: FastifyReply): void {
  answerError(new NgatuError('NOT_FOUND', 'There is nothing under this address'), request, reply);
}
