import type { EventKind } from '@ngatu/contract';

/**
 * The kinds in the order of the filter. The contract's own list is not imported: it would bring the schema library, and
 * its compiler, into the page. A test holds the two together.
 */
export const KINDS = [
  'RED_LIGHT',
  'STOP_LINE',
  'WRONG_WAY',
  'LANE',
  'SOLID_LINE',
  'FORBIDDEN_TURN',
  'SPEED',
  'STOP_PARK',
  'OVERLOADED',
  'FORBIDDEN_AREA',
  'ZEBRA_YIELD',
  'BLOCKED_JUNCTION',
  'NO_HELMET',
  'NO_MASK',
] as const satisfies readonly EventKind[];
