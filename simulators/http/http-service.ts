import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Listens until it is disposed of, which cuts the connections that stand. @param at port 0 takes a free one */
export async function openHttpService(
  listener: RequestListener,
  at: { readonly host: string; readonly port: number },
): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer(listener);
  server.listen(at.port, at.host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
