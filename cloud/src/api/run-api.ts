import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { errorMessage, NgatuError } from '@ngatu/contract';
import type { Logger } from 'pino';
import { openAccess } from '../account/access.ts';
import { openAccountDatabase } from '../account/account-database.ts';
import { AnchorKeeper } from '../account/anchor-keeper.ts';
import { AuditAnchor } from '../account/audit-anchor.ts';
import { verifyAuditTrail } from '../account/audit-verification.ts';
import { buildAccountsPath, createFirstAccount, type FirstSignIn } from '../account/first-account.ts';
import { loadOidcSettings } from '../account/oidc-settings.ts';
import { SingleSignOn } from '../account/single-sign-on.ts';
import { loadPrivacyPolicy } from '../privacy/privacy-policy.ts';
import { buildCentrePaths } from '../store/centre-path.ts';
import { FolderEvidenceStore } from '../store/folder-evidence-store.ts';
import { RemoteSeriesStore } from '../store/remote-series-store.ts';
import { SqliteEventStore } from '../store/sqlite-event-store.ts';
import type { ApiApp } from './api-app.ts';
import { buildApi } from './build-api.ts';

export interface ApiConfig {
  /** Folder of the centre's databases and evidence; the ingestor uses the same one. */
  readonly dataDir: string;
  /** Port 0 takes a free one. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Where the ingestor answers for the time series, and the token that it asks for. */
  readonly ingestorUrl: string;
  readonly internalToken: string;
  /** The built console; without it only the API is served. */
  readonly consoleDir?: string;
  /** The address that browsers use where it is not the one listened on; `https:` makes the cookie secure. */
  readonly publicUrl?: string;
  /** Of the software, for exports. */
  readonly version?: string;
  readonly logger: Logger;
}

export interface ApiReady {
  readonly url: string;
  /** At the first start only. */
  readonly firstSignIn?: FirstSignIn;
}

async function listen(app: ApiApp, { host, port }: ApiConfig['listen']): Promise<string> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error;
    const known = code === 'EADDRINUSE' ? 'PORT_TAKEN' : 'PERMISSION_DENIED';
    throw new NgatuError(known, `Cannot listen on ${host}:${port}: ${errorMessage(error)}`, { cause: error });
  }
  const address = app.server.address() as AddressInfo;
  return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
}

/**
 * Runs the API and the console until `signal` aborts. `onReady` gets the address, and the first account where this start
 * has made it.
 * @throws NgatuError STORE_CORRUPT, STORE_UNAVAILABLE, PERMISSION_DENIED, DISK_FULL, PORT_TAKEN
 */
export async function runApi(
  config: ApiConfig,
  onReady: (ready: ApiReady) => void,
  signal: AbortSignal,
): Promise<void> {
  const { dataDir, consoleDir, publicUrl, logger } = config;
  const now = () => Date.now();
  const paths = buildCentrePaths(dataDir);
  using events = SqliteEventStore.open(paths.events);
  const evidence = await FolderEvidenceStore.open(paths.evidence);
  const series = new RemoteSeriesStore(config.ingestorUrl, config.internalToken);
  const database = openAccountDatabase(buildAccountsPath(dataDir));
  try {
    const access = openAccess(database, now);
    const anchor = new AuditAnchor(dataDir);
    const oidc = loadOidcSettings(dataDir);
    const keeper = new AnchorKeeper({ anchor, database, audit: access.audit, logger, now });
    const firstSignIn = await createFirstAccount(access.accounts, dataDir);
    const app = await buildApi({
      events,
      evidence,
      series,
      ...access,
      ...(oidc === undefined ? {} : { singleSignOn: new SingleSignOn(oidc, now) }),
      exports: {
        identityDir: join(dataDir, 'identity'),
        ...(config.version === undefined ? {} : { softwareVersion: config.version }),
      },
      verifyAudit: () => verifyAuditTrail(database, anchor),
      logger,
      now,
      privacyPolicy: () => loadPrivacyPolicy(dataDir),
      ...(consoleDir === undefined ? {} : { consoleDir }),
      ...(publicUrl === undefined ? {} : { publicUrl }),
    });
    try {
      keeper.start();
      const url = await listen(app, config.listen);
      onReady({ url, ...(firstSignIn === undefined ? {} : { firstSignIn }) });
      if (!signal.aborted)
        await new Promise((stop) => signal.addEventListener('abort', stop, { once: true }));
    } finally {
      await app.close();
      keeper.stop();
    }
  } finally {
    await series.close();
    database.close();
  }
}
