import { expect, it } from 'vitest';
import { Timestamp } from './id.ts';
import { findSchemaIssues } from './schema.ts';

it.each([
  '2024-13-45T99:99:99.999Z',
  '2024-00-10T00:00:00.000Z',
  '2024-01-32T00:00:00.000Z',
  '2024-01-01T24:00:00.000Z',
  '2024-01-01T00:60:00.000Z',
  '2024-01-01T00:00:60.000Z',
  '2024-01-01T00:00:00Z',
])('%s is no instant', (text) => {
  expect(findSchemaIssues(Timestamp, text)).not.toEqual([]);
});

it.each([
  '2024-02-29T23:59:59.999Z',
  '0000-01-31T00:00:00.000Z',
  '9999-12-31T23:59:59.999Z',
  '2023-02-31T00:00:00.000Z',
])('whatever is taken, as %s, can be reckoned with', (text) => {
  expect(findSchemaIssues(Timestamp, text)).toEqual([]);
  expect(Number.isFinite(Date.parse(text))).toBe(true);
});
