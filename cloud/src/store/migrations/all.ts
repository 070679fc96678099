import { createEvents } from './001-event.ts';
import { createDelivery } from './002-delivery.ts';
import { createDirectives } from './003-directive.ts';
import { createReadiness } from './004-readiness.ts';
import type { Migration } from './migration.ts';

/** The schema of the centre's database, in the order in which it is applied. */
export const CENTRE_MIGRATIONS: readonly Migration[] = [
  createEvents,
  createDelivery,
  createDirectives,
  createReadiness,
];
