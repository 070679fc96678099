import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { CameraMount, JoinPoint } from './camera-mount.ts';
import { buildDigestChallenge, isDigestValid, type RtspCredentials } from './digest-authentication.ts';
import {
  encodeRtspResponse,
  type RtspRequest,
  RtspRequestParser,
  type RtspResponse,
  RtspSyntaxError,
} from './rtsp-message.ts';
import { buildSessionDescription, TRACK_CONTROL } from './sdp.ts';
import { StreamViewer } from './stream-viewer.ts';

export interface RtspConnectionOptions {
  readonly mounts: ReadonlyMap<string, CameraMount>;
  readonly credentials?: RtspCredentials;
  /** Address of the server as clients see it, e.g. `rtsp://127.0.0.1:8554`. */
  readonly baseUrl: () => string;
  readonly host: string;
  /** Bytes that may wait in the socket of a client that does not read. */
  readonly bufferMaxBytes: number;
  /** Something that the client did wrong; no secrets in it. */
  readonly onRefused: (reason: string) => void;
}

/** A connection on which nothing plays is closed after this time without a request. */
const IDLE_TIMEOUT_MS = 60_000;
const PUBLIC_METHODS = 'OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, SET_PARAMETER, TEARDOWN';
/** Known to RTSP 1.0 and not allowed on a live camera (RFC 2326 10). */
const REFUSED_METHODS = new Set(['PAUSE', 'ANNOUNCE', 'RECORD', 'REDIRECT']);

interface Session {
  readonly id: string;
  readonly mount: CameraMount;
  readonly rtpChannel: number;
  /** Told to the client in the answer to PLAY, and used when that answer is on its way. */
  joinPoint?: JoinPoint | undefined;
  viewer?: StreamViewer;
}

/** Serves one client: its requests in order, and its stream interleaved on the same socket. One session at most. */
export class RtspConnection {
  readonly #socket: Socket;
  readonly #options: RtspConnectionOptions;
  readonly #parser = new RtspRequestParser();
  readonly #nonce = randomBytes(16).toString('hex');
  #session: Session | undefined;

  constructor(socket: Socket, options: RtspConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  /** Listens to the socket until it closes; the connection then leaves its mount. */
  serve(): void {
    const socket = this.#socket;
    socket.setNoDelay(true);
    socket.setTimeout(IDLE_TIMEOUT_MS, () => {
      if (!this.#session?.viewer) socket.destroy();
      else if (socket.writableLength > 0) socket.destroy(new Error('the client has stopped reading'));
    });
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => this.#options.onRefused(error.message));
    socket.on('close', () => this.#endSession());
  }

  #receive(chunk: Buffer): void {
    try {
      for (const request of this.#parser.push(chunk)) {
        this.#handle(request);
        if (this.#socket.destroyed) return;
      }
    } catch (error) {
      if (!(error instanceof RtspSyntaxError)) throw error;
      this.#options.onRefused(error.message);
      this.#socket.removeAllListeners('data');
      this.#socket.resume();
      this.#socket.end(
        encodeRtspResponse({ status: error.status, headers: { Connection: 'close' } }, undefined),
        () => this.#socket.destroy(),
      );
    }
  }

  #handle(request: RtspRequest): void {
    const cseq = request.headers.get('cseq');
    const response = cseq === undefined ? { status: 400 as const } : this.#respond(request);
    if (this.#socket.writableLength > this.#options.bufferMaxBytes) {
      this.#socket.destroy(new Error('the client sends requests and does not read the answers'));
      return;
    }
    this.#socket.write(encodeRtspResponse(response, cseq));
    if (response.status === 200 && request.method === 'PLAY') this.#play();
  }

  #respond(request: RtspRequest): RtspResponse {
    if (request.method === 'OPTIONS') return { status: 200, headers: { Public: PUBLIC_METHODS } };
    if (REFUSED_METHODS.has(request.method)) return { status: 405, headers: { Allow: PUBLIC_METHODS } };
    const { credentials } = this.#options;
    const authorization = request.headers.get('authorization');
    if (credentials && !isDigestValid({ ...request, credentials, nonce: this.#nonce, authorization })) {
      if (authorization !== undefined) this.#options.onRefused('the credentials are wrong');
      return { status: 401, headers: { 'WWW-Authenticate': buildDigestChallenge(this.#nonce) } };
    }
    switch (request.method) {
      case 'DESCRIBE':
        return this.#describe(request);
      case 'SETUP':
        return this.#setUp(request);
      case 'PLAY':
        return this.#acceptPlay(request);
      case 'GET_PARAMETER':
      case 'SET_PARAMETER':
        return this.#keepAlive(request);
      case 'TEARDOWN':
        return this.#tearDown(request);
      default:
        return { status: 501, headers: { Allow: PUBLIC_METHODS } };
    }
  }

  #describe(request: RtspRequest): RtspResponse {
    const mount = this.#findMount(request.url);
    if (!mount) return { status: 404 };
    const accept = request.headers.get('accept');
    if (accept !== undefined && !/application\/(sdp|\*)|\*\/\*/i.test(accept)) return { status: 406 };
    return {
      status: 200,
      headers: {
        'Content-Base': `${this.#options.baseUrl()}${mount.path}/`,
        'Content-Type': 'application/sdp',
      },
      body: buildSessionDescription(mount.timeline.clip, { host: this.#options.host, sessionId: mount.ssrc }),
    };
  }

  #setUp(request: RtspRequest): RtspResponse {
    const mount = this.#findMount(request.url);
    if (!mount) return { status: 404 };
    if (this.#session) return { status: this.#isOwnSession(request) ? 455 : 454 };
    const rtpChannel = findInterleavedChannel(request.headers.get('transport') ?? '');
    if (rtpChannel === undefined) return { status: 461 };
    this.#session = { id: randomBytes(8).toString('hex'), mount, rtpChannel };
    const ssrc = mount.ssrc.toString(16).padStart(8, '0').toUpperCase();
    return {
      status: 200,
      headers: {
        Transport: `RTP/AVP/TCP;unicast;interleaved=${rtpChannel}-${rtpChannel + 1};ssrc=${ssrc};mode="PLAY"`,
        Session: `${this.#session.id};timeout=${IDLE_TIMEOUT_MS / 1_000}`,
      },
    };
  }

  #acceptPlay(request: RtspRequest): RtspResponse {
    const session = this.#session;
    if (!session || !this.#isOwnSession(request)) return { status: 454 };
    session.mount.start();
    if (!session.viewer) session.joinPoint = session.mount.findJoinPoint();
    const { joinPoint } = session;
    const fields = joinPoint ? `;seq=${joinPoint.sequence};rtptime=${joinPoint.timestamp}` : '';
    return {
      status: 200,
      headers: {
        Session: session.id,
        Range: 'npt=now-',
        'RTP-Info': `url=${this.#options.baseUrl()}${session.mount.path}/${TRACK_CONTROL}${fields}`,
      },
    };
  }

  #play(): void {
    const session = this.#session;
    if (!session || session.viewer) return;
    const { bufferMaxBytes } = this.#options;
    session.viewer = new StreamViewer(this.#socket, { rtpChannel: session.rtpChannel, bufferMaxBytes });
    session.mount.join(session.viewer, session.joinPoint);
  }

  #keepAlive(request: RtspRequest): RtspResponse {
    const session = this.#session;
    if (!session) return { status: this.#findMount(request.url) ? 200 : 404 };
    return this.#isOwnSession(request) ? { status: 200, headers: { Session: session.id } } : { status: 454 };
  }

  #tearDown(request: RtspRequest): RtspResponse {
    const session = this.#session;
    if (!session || !this.#isOwnSession(request)) return { status: 454 };
    this.#endSession();
    return { status: 200, headers: { Session: session.id } };
  }

  #endSession(): void {
    const session = this.#session;
    this.#session = undefined;
    if (session?.viewer) session.mount.leave(session.viewer);
  }

  #isOwnSession(request: RtspRequest): boolean {
    return request.headers.get('session')?.split(';')[0]?.trim() === this.#session?.id;
  }

  /** By the path alone: a query, a trailing slash and the track's name may follow. */
  #findMount(url: string): CameraMount | undefined {
    const path = /^rtsps?:\/\/[^/?#]+([^?#]*)/i.exec(url)?.[1] ?? '';
    const bare = path.replace(/\/+$/, '').replace(new RegExp(`/${TRACK_CONTROL}$`), '');
    return this.#options.mounts.get(bare);
  }
}

/** RTP channel of the first TCP interleaved transport in the client's list; 0 where it leaves the choice to us. */
function findInterleavedChannel(transport: string): number | undefined {
  for (const offer of transport.split(',')) {
    const [protocol, ...parameters] = offer.split(';').map((part) => part.trim());
    if (protocol?.toUpperCase() !== 'RTP/AVP/TCP') continue;
    const channels = parameters
      .map((parameter) => /^interleaved=(\d{1,3})(?:-\d{1,3})?$/i.exec(parameter))
      .find(Boolean);
    const channel = Number(channels?.[1] ?? 0);
    if (channel < 255) return channel;
  }
  return undefined;
}
