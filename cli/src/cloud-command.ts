import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { runApi, runIngestor } from '@ngatu/cloud';
import { findRepositoryRoot } from '@ngatu/models';
import { Command } from 'commander';
import { watchFirstEvent } from './first-event.ts';
import { openLogger } from './logger.ts';
import { readPort } from './option.ts';
import { runPart } from './part-process.ts';
import { PRODUCT_VERSION } from './product-version.ts';
import { readSecret } from './secret-option.ts';

interface IngestorOptions {
  readonly data: string;
  readonly broker: string;
  readonly username?: string;
  readonly host: string;
  readonly port: number;
  readonly uploadHost: string;
  readonly uploadPort?: number;
  readonly identity?: string;
}

interface ApiOptions {
  readonly data: string;
  readonly ingestor: string;
  readonly host: string;
  readonly port: number;
  readonly publicUrl?: string;
}

const SECRETS = `
Secrets come from the environment: NGATU_INTERNAL_TOKEN (between the parts of the centre). An ingestor without certificates, on a
closed network, also reads NGATU_UPLOAD_TOKEN (that nodes show with evidence in the clear) and NGATU_BROKER_PASSWORD.`;

/** `ngatu cloud ingestor|api`: the parts of the centre. */
export function buildCommand(): Command {
  const command = new Command('cloud')
    .description('Runs a part of the centre.')
    .addHelpText('after', SECRETS);
  command
    .command('ingestor')
    .description('commit what the nodes send, then acknowledge it; take evidence files')
    .requiredOption('--data <folder>', 'folder of the databases and of the evidence')
    .requiredOption('--broker <url>', 'MQTT 5 broker, mqtt:// or mqtts://')
    .option('--username <name>', 'user name at the broker')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option(
      '--port <number>',
      'port for the other parts of the centre, in the clear; 0 takes a free one',
      readPort,
      8181,
    )
    .option('--upload-host <address>', 'address to listen on for nodes, by mutual TLS', '127.0.0.1')
    .option(
      '--upload-port <number>',
      'port for the evidence of nodes, by mutual TLS; 0 takes a free one',
      readPort,
    )
    .option(
      '--identity <folder>',
      'keys and certificates of the centre (default: identity in the data folder)',
    )
    .action(ingest);
  command
    .command('api')
    .description('serve the API and the console')
    .requiredOption('--data <folder>', 'folder of the databases and of the evidence, that of the ingestor')
    .requiredOption('--ingestor <url>', 'address of the ingestor')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <number>', 'port to listen on; 0 takes a free one', readPort, 8180)
    .option('--public-url <url>', 'the address that browsers use where it is another one')
    .action(serve);
  return command;
}

function ingest(options: IngestorOptions): Promise<void> {
  return runPart(({ signal, ready }) => {
    const { broker: url, username, host, port, uploadHost, uploadPort } = options;
    const dataDir = resolve(options.data);
    const identityDir = resolve(options.identity ?? join(dataDir, 'identity'));
    const password =
      username === undefined ? {} : { username, password: readSecret('NGATU_BROKER_PASSWORD') };
    const uploads =
      uploadPort === undefined
        ? { nodeToken: readSecret('NGATU_UPLOAD_TOKEN') }
        : { tls: { identityDir, listen: { host: uploadHost, port: uploadPort } } };
    const config = {
      dataDir,
      broker: { url, ...password, ...(url.startsWith('mqtts:') ? { identityDir } : {}) },
      listen: { host, port },
      ...uploads,
      internalToken: readSecret('NGATU_INTERNAL_TOKEN'),
      logger: openLogger('ingestor'),
    };
    return runIngestor(config, ready, signal);
  });
}

function serve(options: ApiOptions): Promise<void> {
  return runPart(async ({ signal, ready, notify }) => {
    const { ingestor: ingestorUrl, host, port, publicUrl } = options;
    const dataDir = resolve(options.data);
    const consoleDir = join(findRepositoryRoot(), 'dist', 'console');
    const logger = openLogger('api');
    const config = {
      dataDir,
      listen: { host, port },
      ingestorUrl,
      internalToken: readSecret('NGATU_INTERNAL_TOKEN'),
      version: PRODUCT_VERSION,
      logger,
      ...(existsSync(join(consoleDir, 'index.html')) ? { consoleDir } : {}),
      ...(publicUrl === undefined ? {} : { publicUrl }),
    };
    const onReady = ({ url }: { url: string }) => {
      logger.info({ url, console: config.consoleDir !== undefined }, 'api is ready');
      ready({ url });
      watchFirstEvent(dataDir, notify, signal).catch((error: unknown) =>
        logger.error({ error }, 'first event not watched'),
      );
    };
    await runApi(config, onReady, signal);
  });
}
