import type { UntrustedParser } from '@ngatu/contract';

/** Parsers that meet untrusted input, with their samples: loaded for a campaign alone, no process of the product carries them. */
export async function loadTrustParsers(): Promise<readonly UntrustedParser[]> {
  return (await import('./trust-parsers.ts')).TRUST_PARSERS;
}
