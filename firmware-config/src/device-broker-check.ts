import type { DeviceTls } from '@ngatu/contract';

/** What the schema cannot say of a broker of devices. */
export function findBrokerReasons({
  url,
  username,
  password,
  tls,
}: {
  readonly url: string;
  readonly username?: string;
  readonly password?: unknown;
  readonly tls?: DeviceTls;
}): string[] {
  const reasons: string[] = [];
  if (password !== undefined && username === undefined) reasons.push('a password needs a username beside it');
  if (tls === undefined) return reasons;
  if (!url.startsWith('mqtts://')) reasons.push('certificates are for mqtts:// alone');
  if ((tls.certFile === undefined) !== (tls.keyFile === undefined))
    reasons.push('a certificate needs its key beside it, and a key its certificate');
  return reasons;
}
