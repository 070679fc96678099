import { createEvents } from './001-event.ts';
import { createDelivery } from './002-delivery.ts';
import { createDirectives } from './003-directive.ts';
import { createReadiness } from './004-readiness.ts';
import { createDeliveryLedger } from './005-delivery.ts';
import { createTransfers } from './006-transfer.ts';
import { createSeals } from './007-seal.ts';
import { createPrivacy } from './008-privacy.ts';
import { indexRetention } from './009-retention.ts';
import { createScreening } from './010-screening.ts';
import { createPlates } from './011-plate.ts';
import type { Migration } from './migration.ts';

/** The schema of the centre's database, in the order in which it is applied. */
export const CENTRE_MIGRATIONS: readonly Migration[] = [
  createEvents,
  createDelivery,
  createDirectives,
  createReadiness,
  createDeliveryLedger,
  createTransfers,
  createSeals,
  createPrivacy,
  indexRetention,
  createScreening,
  createPlates,
];
