import type { AddressInfo } from 'node:net';
import { NgatuError } from '@ngatu/contract';
import type { FastifyInstance } from 'fastify';
import { buildIngestHttp, type IngestHttpParts } from './ingest-http.ts';
import { IngestTls } from './ingest-tls.ts';
import { PeerJudge } from './peer-judge.ts';

interface Endpoint {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

/** Where an ingestor listens. */
export interface IngestEndpoints {
  /** For the other parts of the centre, in the clear; on a closed network also for the evidence of nodes. */
  readonly listen: Endpoint;
  /** For the evidence of nodes, with mutual TLS; `identityDir` is that of the centre. */
  readonly tls: { readonly identityDir: string; readonly listen: Endpoint } | undefined;
}

/** Listeners that answer until they are disposed. */
export interface IngestListener extends AsyncDisposable {
  readonly address: { readonly url: string; readonly uploadUrl?: string };
}

/**
 * Opens the listeners of an ingestor: one server behind both.
 * @throws NgatuError PORT_TAKEN, IDENTITY_INVALID, CERTIFICATE_INVALID, PERMISSION_DENIED
 */
export async function openIngestListener(
  { listen, tls }: IngestEndpoints,
  parts: Omit<IngestHttpParts, 'judge'>,
): Promise<IngestListener> {
  const { logger, clock } = parts;
  const judge =
    tls === undefined ? undefined : PeerJudge.open({ identityDir: tls.identityDir, logger, clock });
  const http = buildIngestHttp({ ...parts, ...(judge === undefined ? {} : { judge }) });
  try {
    const url = await listenOn(http, listen);
    if (tls === undefined || judge === undefined)
      return { address: { url }, [Symbol.asyncDispose]: () => http.close() };
    const certified = await IngestTls.open({ listen: tls.listen, judge, http: http.server, logger });
    return {
      address: { url, uploadUrl: certified.url },
      [Symbol.asyncDispose]: async () => {
        await certified.close();
        await http.close();
      },
    };
  } catch (error) {
    await http.close();
    throw error;
  }
}

async function listenOn(http: FastifyInstance, { host, port }: Endpoint): Promise<string> {
  try {
    await http.listen({ host, port });
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'EADDRINUSE') throw error;
    throw new NgatuError('PORT_TAKEN', `Cannot listen on ${host}:${port}: the port is used`, {
      cause: error,
    });
  }
  const address = http.server.address() as AddressInfo;
  return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
}
