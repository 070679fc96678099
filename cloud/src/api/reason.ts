import { refuseInvalid } from './api-error.ts';

/**
 * A reason without the space around it.
 * @throws NgatuError REQUEST_INVALID where less than three characters are left
 */
export function readReason(text: string): string {
  const reason = text.trim();
  if (reason.length >= 3) return reason;
  throw refuseInvalid([
    { path: '/body/reason', reason: 'Expected at least 3 characters that are not space' },
  ]);
}
