import { findSchemaIssues, type SchemaIssue } from '@ngatu/contract';
import type { TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import type { FastifySchemaCompiler } from 'fastify';
import { refuseInvalid } from './api-error.ts';

const PART_NAMES: Readonly<Record<string, string>> = {
  body: 'body',
  querystring: 'query',
  params: 'params',
  headers: 'headers',
};

/**
 * Validates with the contract's own checker: unknown properties are refused, a body is taken as it is, and only the
 * words of a query or a path are read as numbers, lists and defaults.
 */
export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart = 'body' }) => {
  return (value: unknown) => {
    const parsed =
      httpPart === 'body' ? value : Value.Default(schema, Value.Convert(schema, { ...Object(value) }));
    const issues = findSchemaIssues(schema, parsed);
    if (issues.length === 0) return { value: parsed };
    const part = PART_NAMES[httpPart] ?? httpPart;
    // The checker may say two things of one place (not there, and no text); the first is the one to read.
    const byPath = new Map<string, SchemaIssue>();
    for (const { path, reason } of issues) {
      const place = `/${part}${path}`;
      if (!byPath.has(place)) byPath.set(place, { path: place, reason });
    }
    return { error: refuseInvalid([...byPath.values()]) };
  };
};

/** Bounds of a period as instants; `to` defaults to `now`, `from` to `defaultMs` before it. */
export interface PeriodRequest {
  readonly from?: string;
  readonly to?: string;
  readonly now: number;
  readonly defaultMs: number;
  readonly maxMs: number;
}

/**
 * @throws NgatuError REQUEST_INVALID where a bound is no instant, the period is empty or longer than `maxMs`
 */
export function parsePeriod({ from, to, now, defaultMs, maxMs }: PeriodRequest): {
  fromMs: number;
  toMs: number;
} {
  const toMs = to === undefined ? now : parseInstant(to, '/query/to');
  const fromMs = from === undefined ? toMs - defaultMs : parseInstant(from, '/query/from');
  const issues: SchemaIssue[] = [];
  if (fromMs >= toMs) issues.push({ path: '/query/from', reason: 'Expected an instant before "to"' });
  if (toMs - fromMs > maxMs)
    issues.push({ path: '/query/from', reason: `Expected at most ${maxMs} ms before "to"` });
  if (issues.length > 0) throw refuseInvalid(issues);
  return { fromMs, toMs };
}

/** @throws NgatuError REQUEST_INVALID where the text names no instant (a thirteenth month) */
export function parseInstant(text: string, path: string): number {
  const instant = Date.parse(text);
  if (Number.isNaN(instant)) throw refuseInvalid([{ path, reason: 'Expected an instant that exists' }]);
  return instant;
}
