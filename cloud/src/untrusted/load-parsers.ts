import type { UntrustedParser } from '@ngatu/contract';

/** Parsers that meet untrusted input, with their samples: loaded for a campaign alone, no process of the product carries them. */
export async function loadCloudParsers(): Promise<readonly UntrustedParser[]> {
  return (await import('./cloud-parsers.ts')).CLOUD_PARSERS;
}
