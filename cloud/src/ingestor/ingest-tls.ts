import type { Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { NgatuError } from '@ngatu/contract';
import { describeTlsError } from '@ngatu/trust';
import type { Logger } from 'pino';
import type { PeerJudge } from './peer-judge.ts';

interface IngestTlsParts {
  /** Port 0 takes a free one. */
  readonly listen: { readonly host: string; readonly port: number };
  readonly judge: PeerJudge;
  /** Takes the connections of proved peers, decrypted; it need not listen itself. */
  readonly http: HttpServer;
  readonly logger: Logger;
}

/** How often the identity's folder is looked at, ms: a revocation counts within this. */
const REFRESH_EVERY_MS = 1_000;
const HANDSHAKE_LIMIT_MS = 10_000;
/** Who is refused may read the reason for this long, ms. */
const FAREWELL_MS = 2_000;
/** Strangers that knock are said once in this time, ms, with their number. */
const COMPLAIN_EVERY_MS = 10_000;
const CONNECTIONS_MAX = 4_096;

/**
 * The ingestor's listener with mutual TLS. Whoever cannot prove to be of this authority is told why, and reaches no code beyond.
 * A revocation ends connections that stand as well.
 */
export class IngestTls {
  readonly #parts: IngestTlsParts;
  readonly #server: Server;
  readonly #sockets = new Set<TLSSocket>();
  readonly #refresh: NodeJS.Timeout;
  #complainedAtMs = Number.NEGATIVE_INFINITY;
  #refused = 0;

  private constructor(parts: IngestTlsParts) {
    this.#parts = parts;
    // The handshake takes any certificate: who is refused after it gets a reason that says more than a broken connection.
    this.#server = createServer({
      ...parts.judge.credentials,
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: HANDSHAKE_LIMIT_MS,
    });
    this.#server.maxConnections = CONNECTIONS_MAX;
    this.#server.on('secureConnection', (socket) => void this.#take(socket));
    this.#server.on('tlsClientError', (error, socket) => {
      socket.destroy();
      this.#complain(describeTlsError(error, 'take a connection') ?? error);
    });
    this.#refresh = setInterval(() => this.#follow(), REFRESH_EVERY_MS).unref();
  }

  /** @throws NgatuError PORT_TAKEN */
  static async open(parts: IngestTlsParts): Promise<IngestTls> {
    const listener = new IngestTls(parts);
    const { host, port } = parts.listen;
    await new Promise<void>((resolve, reject) => {
      listener.#server.once('error', (error) => {
        const isTaken = 'code' in error && error.code === 'EADDRINUSE';
        const reason = `Cannot listen on ${host}:${port}: the port is used`;
        reject(isTaken ? new NgatuError('PORT_TAKEN', reason, { cause: error }) : error);
      });
      listener.#server.listen(port, host, resolve);
    });
    return listener;
  }

  get url(): string {
    const { address, family, port } = this.#server.address() as AddressInfo;
    return `https://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }

  async close(): Promise<void> {
    clearInterval(this.#refresh);
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #take(socket: TLSSocket): Promise<void> {
    const { judge, http } = this.#parts;
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    // What breaks here is a connection that ended; the parser of HTTP adds its own listener.
    socket.on('error', () => socket.destroy());
    try {
      await judge.identify(socket);
      if (!socket.destroyed) http.emit('connection', socket);
    } catch (error) {
      this.#refuse(socket, error);
    }
  }

  /** Credentials that changed hold for new connections, and for those that stand. */
  #follow(): void {
    const { judge } = this.#parts;
    if (!judge.refresh()) return;
    this.#server.setSecureContext(judge.credentials);
    for (const socket of this.#sockets) {
      judge.identify(socket).catch((error: unknown) => {
        socket.destroy();
        this.#complain(error);
      });
    }
  }

  #refuse(socket: TLSSocket, error: unknown): void {
    this.#complain(error);
    if (!(error instanceof NgatuError)) {
      socket.destroy();
      return;
    }
    const body = JSON.stringify({ code: error.code, message: error.message });
    const head = `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}`;
    // What comes in is thrown away unread: a reset would take the answer with it.
    socket.resume();
    socket.end(`HTTP/1.1 403 Forbidden\r\n${head}\r\nconnection: close\r\n\r\n${body}`);
    setTimeout(() => socket.destroy(), FAREWELL_MS).unref();
  }

  #complain(error: unknown): void {
    this.#refused++;
    const nowMs = performance.now();
    if (nowMs - this.#complainedAtMs < COMPLAIN_EVERY_MS) return;
    this.#complainedAtMs = nowMs;
    const code = error instanceof NgatuError ? error.code : 'UNAUTHENTICATED';
    const message = error instanceof Error ? error.message : String(error);
    this.#parts.logger.warn({ code, refusedTotal: this.#refused }, `connection refused: ${message}`);
  }
}
