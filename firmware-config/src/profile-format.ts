import type { GatewayProfile } from '@ngatu/contract';
import { stringify } from 'yaml';

/** A profile as the text of a file that `loadProfile` reads. */
export function formatProfile(profile: GatewayProfile): string {
  return stringify(profile, { lineWidth: 110 });
}
