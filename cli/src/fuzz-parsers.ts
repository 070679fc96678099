import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadCloudParsers } from '@ngatu/cloud';
import { CONTRACT_PARSERS, type UntrustedParser } from '@ngatu/contract';
import { loadEdgeParsers } from '@ngatu/edge';
import { FIRMWARE_CONFIG_PARSERS } from '@ngatu/firmware-config';
import { MODELS_PARSERS } from '@ngatu/models';
import { SIMULATOR_PARSERS } from '@ngatu/simulators';
import { loadTrustParsers } from '@ngatu/trust';
import { loadSecrets } from './data-folder.ts';

/** The file of passwords that `ngatu start` keeps. */
const secretParser: UntrustedParser = {
  name: 'secret-file',
  covers: ['cli/src/data-folder.ts#loadSecrets'],
  source: 'the machine’s own disk, torn or changed',
  form: 'json',
  pace: 'process',
  open: async (folder) => {
    const file = join(folder, 'secrets.json');
    const create = () => ({ broker: 'a password', token: 'a token' });
    return {
      samples: [Buffer.from(JSON.stringify(create()))],
      parse: (input) => {
        writeFileSync(file, input);
        const secrets = loadSecrets(file, create);
        const isWhole = Object.values(secrets).every((value) => typeof value === 'string' && value !== '');
        if (!isWhole) throw new TypeError('a secret that is no text');
        return undefined;
      },
    };
  },
};

/** Every parser of the product that meets untrusted input, in the order of the packages. */
export async function loadUntrustedParsers(): Promise<readonly UntrustedParser[]> {
  return [
    ...CONTRACT_PARSERS,
    ...(await loadTrustParsers()),
    ...(await loadEdgeParsers()),
    ...(await loadCloudParsers()),
    ...FIRMWARE_CONFIG_PARSERS,
    ...MODELS_PARSERS,
    ...SIMULATOR_PARSERS,
    secretParser,
  ];
}
