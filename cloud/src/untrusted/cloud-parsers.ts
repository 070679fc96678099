import type { UntrustedParser } from '@ngatu/contract';
import { API_PARSERS } from './api-parsers.ts';
import { INGEST_PARSERS } from './ingest-parsers.ts';
import { STORE_PARSERS } from './store-parsers.ts';

/** Parsers of the centre that meet untrusted input. */
export const CLOUD_PARSERS: readonly UntrustedParser[] = [
  ...API_PARSERS,
  ...INGEST_PARSERS,
  ...STORE_PARSERS,
];
