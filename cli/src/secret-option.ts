import { NgatuError } from '@ngatu/contract';

/**
 * A secret from the environment: secrets stand in no command line, because everybody on the machine can read those.
 * @throws NgatuError USAGE where it is not set
 */
export function readSecret(name: string): string {
  const secret = process.env[name];
  if (secret !== undefined && secret !== '') return secret;
  throw new NgatuError('USAGE', `Cannot start without the environment variable ${name}`);
}
