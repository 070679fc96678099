/** An RTSP 1.0 request (RFC 2326 6). Header names are in lower case. */
export interface RtspRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: ReadonlyMap<string, string>;
}

/** The bytes are not RTSP, or exceed a bound; `status` is the answer before the connection is closed. */
export class RtspSyntaxError extends Error {
  readonly status: 400 | 413 | 505;

  constructor(status: 400 | 413 | 505, message: string) {
    super(message);
    this.name = 'RtspSyntaxError';
    this.status = status;
  }
}

const HEAD_MAX_BYTES = 16 * 1024;
const BODY_MAX_BYTES = 64 * 1024;
const HEAD_END = Buffer.from('\r\n\r\n', 'latin1');
const INTERLEAVED_MARK = 0x24;
const CR = 0x0d;
const LF = 0x0a;
/** RFC 2326 methods are upper-case words. */
const REQUEST_LINE = /^([A-Z_]{1,32}) (\S+) RTSP\/(\d+\.\d+)$/;
const HEADER_LINE = /^([A-Za-z][A-Za-z0-9-]*)[ \t]*:[ \t]*(.*?)[ \t]*$/;

/**
 * Cuts a client's byte stream into requests: split and pipelined ones, and between them interleaved RTP and RTCP
 * packets, which are skipped. Holds at most one request head or body; skipped bytes are not held.
 */
export class RtspRequestParser {
  #pending: Buffer = Buffer.alloc(0);
  /** Bytes of a body or of an interleaved packet that are still to be thrown away. */
  #skipBytes = 0;

  /** Requests that the chunk completes, in order. Throws RtspSyntaxError; then the parser must not be used again. */
  *push(chunk: Buffer): Generator<RtspRequest> {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    while (this.#pending.length > 0) {
      if (this.#skipBytes > 0) {
        const skipped = Math.min(this.#skipBytes, this.#pending.length);
        this.#skipBytes -= skipped;
        this.#pending = this.#pending.subarray(skipped);
        continue;
      }
      const first = this.#pending[0];
      if (first === CR || first === LF) {
        this.#pending = this.#pending.subarray(1);
      } else if (first === INTERLEAVED_MARK) {
        if (this.#pending.length < 4) return;
        this.#skipBytes = this.#pending.readUInt16BE(2);
        this.#pending = this.#pending.subarray(4);
      } else {
        const request = this.#takeRequest();
        if (!request) return;
        yield request;
      }
    }
  }

  #takeRequest(): RtspRequest | undefined {
    const first = this.#pending[0] ?? 0;
    if (first < 0x41 || first > 0x5a) throw new RtspSyntaxError(400, 'a request begins with a method');
    const end = this.#pending.indexOf(HEAD_END);
    if (end > HEAD_MAX_BYTES || (end === -1 && this.#pending.length > HEAD_MAX_BYTES)) {
      throw new RtspSyntaxError(413, `a request head is larger than ${HEAD_MAX_BYTES} bytes`);
    }
    if (end === -1) return undefined;
    const request = decodeHead(this.#pending.toString('latin1', 0, end));
    this.#pending = this.#pending.subarray(end + HEAD_END.length);
    this.#skipBytes = decodeBodyLength(request.headers.get('content-length'));
    return request;
  }
}

function decodeHead(head: string): RtspRequest {
  const [requestLine = '', ...lines] = head.split('\r\n');
  const fields = REQUEST_LINE.exec(requestLine);
  const [, method, url, version] = fields ?? [];
  if (method === undefined || url === undefined)
    throw new RtspSyntaxError(400, 'the request line is not RTSP');
  if (version !== '1.0') throw new RtspSyntaxError(505, 'the version is not RTSP/1.0');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = HEADER_LINE.exec(line) ?? [];
    if (name === undefined || value === undefined)
      throw new RtspSyntaxError(400, 'a header line has no name');
    headers.set(name.toLowerCase(), value);
  }
  return { method, url, headers };
}

function decodeBodyLength(text: string | undefined): number {
  if (text === undefined) return 0;
  if (!/^\d{1,9}$/.test(text)) throw new RtspSyntaxError(400, 'the content length is not a number');
  if (Number(text) > BODY_MAX_BYTES)
    throw new RtspSyntaxError(413, `a body is larger than ${BODY_MAX_BYTES} bytes`);
  return Number(text);
}

const REASON_PHRASES = {
  200: 'OK',
  400: 'Bad Request',
  401: 'Unauthorized',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  413: 'Request Entity Too Large',
  454: 'Session Not Found',
  455: 'Method Not Valid in This State',
  459: 'Aggregate Operation Not Allowed',
  461: 'Unsupported Transport',
  501: 'Not Implemented',
  505: 'RTSP Version Not Supported',
} as const;
type RtspStatus = keyof typeof REASON_PHRASES;

export interface RtspResponse {
  readonly status: RtspStatus;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** The bytes of a response; `cseq` is the request's own, absent where it had none. */
export function encodeRtspResponse(response: RtspResponse, cseq: string | undefined): Buffer {
  const body = Buffer.from(response.body ?? '', 'utf8');
  const lines = [`RTSP/1.0 ${response.status} ${REASON_PHRASES[response.status]}`];
  if (cseq !== undefined) lines.push(`CSeq: ${cseq}`);
  lines.push('Server: ngatu camera simulator');
  for (const [name, value] of Object.entries(response.headers ?? {})) lines.push(`${name}: ${value}`);
  if (body.length > 0) lines.push(`Content-Length: ${body.length}`);
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}
