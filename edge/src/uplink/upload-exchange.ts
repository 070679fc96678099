import { createReadStream } from 'node:fs';
import type { Agent } from 'node:http';
import { Readable } from 'node:stream';
import {
  buildEvidenceGonePath,
  buildEvidencePath,
  buildUploadPartId,
  decodeReceivedParts,
  type ErrorCode,
  type EvidenceGone,
  errorMessage,
  NgatuError,
  type ReceivedPart,
  UPLOAD_PARTS_HEADER,
  UPLOAD_PATH,
  UPLOAD_STORED_HEADER,
} from '@ngatu/contract';
import { type HttpAnswer, type HttpExchange, sendHttp } from './http-exchange.ts';
import type { LinkBudget, UploadTurn } from './link-budget.ts';
import type { PartState } from './upload-file.ts';

/** A failure of an exchange and what follows from it. */
export interface UploadFailure {
  /**
   * `refused` it will never succeed; `later` this file must wait; `unavailable` the centre or the way to it is not well; `stale` what
   * the centre holds is not what was thought: it is asked again.
   */
  readonly outcome: 'refused' | 'later' | 'unavailable' | 'stale';
  readonly code: ErrorCode;
  readonly reason: string;
}

export type Inspection =
  | { readonly outcome: 'arrived' }
  | { readonly outcome: 'absent'; readonly parts: ReceivedPart[] };
export type PartOutcome = { readonly outcome: 'sent'; readonly isFileStored: boolean };

export interface UploadExchangeOptions {
  /** Address of the ingestor, `http(s)://host:port`. */
  readonly url: string;
  readonly token: string | undefined;
  readonly idleTimeoutMs: number;
  readonly budget: LinkBudget;
  readonly openAgent: () => Agent;
}

const TUS = { 'tus-resumable': '1.0.0' };
const OFFSET_STREAM = 'application/offset+octet-stream';
/** Small enough that a slow budget keeps every connection moving. */
const CHUNK_BYTES = 8 * 1024;
const BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  409: 'EVIDENCE_UNKNOWN',
  413: 'EVIDENCE_TOO_LARGE',
  422: 'EVIDENCE_DIGEST_MISMATCH',
  429: 'RATE_LIMITED',
  503: 'STORE_UNAVAILABLE',
  507: 'DISK_FULL',
};

/** The node's side of the resumable upload (tus 1.0.0): each method is one exchange with the centre. */
export class UploadExchange {
  readonly #options: UploadExchangeOptions;
  #agent: Agent;

  constructor(options: UploadExchangeOptions) {
    this.#options = options;
    this.#agent = options.openAgent();
  }

  /** Begins with new connections, and with the certificates as they are now. */
  renew(): void {
    this.#agent.destroy();
    this.#agent = this.#options.openAgent();
  }

  close(): void {
    this.#agent.destroy();
  }

  /** What of a file the centre has. */
  async inspect(sha256: string, signal: AbortSignal): Promise<Inspection | UploadFailure> {
    const answer = await this.#send({ path: buildEvidencePath(sha256), method: 'HEAD' }, signal);
    if ('outcome' in answer) return answer;
    if (isGood(answer)) return { outcome: 'arrived' };
    if (answer.status !== 404) return judge(answer, `look for evidence ${sha256}`);
    const told = answer.headers[UPLOAD_PARTS_HEADER];
    return { outcome: 'absent', parts: typeof told === 'string' ? decodeReceivedParts(told) : [] };
  }

  /** Sends what is missing of a part, and writes into it what the centre then has. */
  async sendPart(
    part: PartState,
    { path, turn }: { path: string; turn: UploadTurn },
    signal: AbortSignal,
  ): Promise<PartOutcome | UploadFailure> {
    const offset = part.offset ?? (await this.#askOffset(part, signal));
    if (typeof offset !== 'number') return offset;
    part.offset = undefined;
    const body = (): Readable => this.#readPaced(part, { path, turn, offset, signal });
    const address = part.created ? `${UPLOAD_PATH}/${buildUploadPartId(part)}` : UPLOAD_PATH;
    const answer = await this.#send(
      {
        path: address,
        method: part.created ? 'PATCH' : 'POST',
        headers: {
          ...TUS,
          'content-type': OFFSET_STREAM,
          ...(part.created ? { 'upload-offset': String(offset) } : describeCreation(part)),
        },
        body,
        sizeBytes: part.length - offset,
      },
      signal,
    );
    if ('outcome' in answer) return answer;
    if (!isGood(answer)) return judge(answer, `send evidence ${part.sha256}`);
    part.created = true;
    const reached = Number(answer.headers['upload-offset']);
    part.offset = Number.isSafeInteger(reached) ? reached : undefined;
    return { outcome: 'sent', isFileStored: answer.headers[UPLOAD_STORED_HEADER] === 'stored' };
  }

  /** Says that the node no longer has a file. */
  async reportGone(
    sha256: string,
    gone: EvidenceGone,
    signal: AbortSignal,
  ): Promise<UploadFailure | undefined> {
    const text = Buffer.from(JSON.stringify(gone));
    const answer = await this.#send(
      {
        path: buildEvidenceGonePath(sha256),
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: () => Readable.from([text]),
        sizeBytes: text.length,
      },
      signal,
    );
    if ('outcome' in answer) return answer;
    return isGood(answer) ? undefined : judge(answer, `report that evidence ${sha256} is gone`);
  }

  async #askOffset(part: PartState, signal: AbortSignal): Promise<number | UploadFailure> {
    const path = `${UPLOAD_PATH}/${buildUploadPartId(part)}`;
    const answer = await this.#send({ path, method: 'HEAD', headers: TUS }, signal);
    if ('outcome' in answer) return answer;
    const offset = Number(answer.headers['upload-offset']);
    part.created = isGood(answer) && Number.isSafeInteger(offset);
    if (part.created) return offset;
    return answer.status === 404 ? 0 : judge(answer, `resume evidence ${part.sha256}`);
  }

  #readPaced(
    part: PartState,
    { path, turn, offset, signal }: { path: string; turn: UploadTurn; offset: number; signal: AbortSignal },
  ): Readable {
    const { budget } = this.#options;
    const range = { start: part.start + offset, end: part.start + part.length - 1 };
    return Readable.from(
      (async function* () {
        if (range.end < range.start) return;
        const file = createReadStream(path, { ...range, highWaterMark: CHUNK_BYTES });
        for await (const chunk of file as AsyncIterable<Buffer>) {
          await budget.take(chunk.length, turn, signal);
          yield chunk;
        }
      })(),
      { objectMode: false, highWaterMark: CHUNK_BYTES },
    );
  }

  async #send(
    { path, ...exchange }: Pick<HttpExchange, 'method' | 'headers' | 'body' | 'sizeBytes'> & { path: string },
    signal: AbortSignal,
  ): Promise<HttpAnswer | UploadFailure> {
    const { url, token, idleTimeoutMs } = this.#options;
    const target = new URL(path, url);
    try {
      return await sendHttp({ target, token, idleTimeoutMs, agent: this.#agent, ...exchange }, signal);
    } catch (error) {
      const code = error instanceof NgatuError ? error.code : 'UPLOAD_FAILED';
      const reason = `Cannot exchange evidence with ${target.origin}: ${errorMessage(error)}`;
      return { outcome: 'unavailable', code, reason };
    }
  }
}

function describeCreation({ sha256, start, length }: PartState): Record<string, string> {
  const encode = (text: string): string => Buffer.from(text).toString('base64');
  return {
    'upload-length': String(length),
    'upload-metadata': `sha256 ${encode(sha256)},start ${encode(String(start))}`,
  };
}

function isGood({ status }: HttpAnswer): boolean {
  return status >= 200 && status < 300;
}

function judge({ status, code: told }: HttpAnswer, what: string): UploadFailure {
  const code = told ?? BY_STATUS[status];
  const reason = `Cannot ${what}: the centre answered ${status} ${code ?? ''}`.trimEnd();
  // 409 without a code is tus's: another offset; 404 and 410: the part expired or the file arrived meanwhile.
  if (told === undefined && [404, 409, 410, 423].includes(status))
    return { outcome: 'stale', code: 'UPLOAD_FAILED', reason };
  if (code === 'EVIDENCE_UNKNOWN' || code === 'EVIDENCE_DIGEST_MISMATCH')
    return { outcome: 'later', code, reason };
  if (code === 'EVIDENCE_TOO_LARGE' || code === 'REQUEST_INVALID')
    return { outcome: 'refused', code, reason };
  return { outcome: 'unavailable', code: code ?? 'UPLOAD_FAILED', reason };
}
