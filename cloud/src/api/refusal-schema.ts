import { type TSchema, Type } from '@sinclair/typebox';
import type { ApiError } from './api-schema.ts';

const MEANING = {
  400: 'REQUEST_INVALID or SECOND_FACTOR_WRONG',
  401: 'UNAUTHENTICATED, CREDENTIALS_INVALID or SECOND_FACTOR_REQUIRED',
  403: 'FORBIDDEN, ACCOUNT_INCOMPLETE or ORIGINAL_SEALED',
  404: 'NOT_FOUND',
  409: 'REVIEW_CONFLICT, OPENING_CONFLICT, EVENT_LET_PASS, SEAL_MISSING, DIRECTIVE_ENDED, DIRECTIVE_LIMIT or SCREENING_CLOSED',
  416: 'REQUEST_INVALID: the range lies outside the file',
  429: 'RATE_LIMITED',
  500: 'INTERNAL',
  503: 'STORE_UNAVAILABLE',
} as const;

/** Response schemas of the refusals that a route may give; INTERNAL and STORE_UNAVAILABLE always belong to them. */
export function refusals(...statuses: readonly (keyof typeof MEANING)[]): Record<string, TSchema> {
  const all = [...statuses, 500, 503] as const;
  return Object.fromEntries(
    all.map((status) => [status, Type.Unsafe<ApiError>({ $ref: 'ApiError#', description: MEANING[status] })]),
  );
}
