import { connect } from 'node:net';

/** A request as an input tells it; what a socket or an injection could not carry is taken out. */
export interface ToldRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
/** What may stand in a request line and in a value of a header. */
const UNWRITABLE = /[^\x21-\x7e\xa1-\xff]/g;

/** Undefined where the input is no request. */
export function decodeToldRequest(input: Uint8Array): ToldRequest | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(input).toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { method, url, headers, body } = value as Record<string, unknown>;
  if (typeof url !== 'string') return undefined;
  const path = url.replace(UNWRITABLE, (sign) => encodeURIComponent(Buffer.from(sign).toString('utf8')));
  return {
    method: METHODS.find((name) => name === method) ?? 'GET',
    url: path.startsWith('/') ? path : `/${path}`,
    headers: decodeHeaders(headers),
    body: typeof body === 'string' ? body : JSON.stringify(body ?? null),
  };
}

function decodeHeaders(headers: unknown): Record<string, string> {
  if (typeof headers !== 'object' || headers === null) return {};
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => {
      const isName = /^[A-Za-z0-9-]{1,64}$/.test(name);
      return isName
        ? [[name, String(JSON.stringify(value)).replace(/^"|"$/g, '').replace(UNWRITABLE, '')]]
        : [];
    }),
  );
}

/** The request as bytes on a connection that ends with its answer. */
export function encodeToldRequest({ method, url, headers, body }: ToldRequest): Buffer {
  const bytes = Buffer.from(body);
  const told = { host: '127.0.0.1', 'content-length': String(bytes.length), ...headers, connection: 'close' };
  const lines = Object.entries(told).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`${method} ${url} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1'), bytes]);
}

/**
 * Sends bytes from an address of this machine, and reads the answer to its end. Returns its status, 0 where the connection was closed
 * without one.
 */
export function exchangeBytes(
  port: number,
  bytes: Uint8Array,
  localAddress = '127.0.0.1',
): Promise<{ status: number; text: string }> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    let text = '';
    socket.setEncoding('latin1');
    socket.on('connect', () => socket.end(bytes));
    socket.on('data', (part: string) => {
      text = (text + part).slice(0, 4_096);
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      const [, status] = /^HTTP\/1\.1 (\d{3})/.exec(text) ?? [];
      resolve({ status: Number(status ?? 0), text });
    });
  });
}

/**
 * How an answer counts: taken, or refused with its status.
 * @throws Error where the server met something that nobody foresaw
 */
export function judgeAnswer(status: number, text: string): string | undefined {
  if (status === 500 || text.includes('"INTERNAL"'))
    throw new Error(`the server answered ${status}: ${text}`);
  return status >= 200 && status < 400 ? undefined : `HTTP ${status}`;
}
