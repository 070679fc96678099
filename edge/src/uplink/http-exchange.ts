import { type Agent, type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ERROR_CODES, type ErrorCode, errorMessage, NgatuError } from '@ngatu/contract';
import { describeTlsError } from '@ngatu/trust';

export interface HttpExchange {
  readonly target: URL;
  readonly method: 'HEAD' | 'POST' | 'PATCH';
  /** For a centre on a closed network that knows its nodes by no certificate. */
  readonly token: string | undefined;
  /** No byte moved for this long ends the exchange, ms. */
  readonly idleTimeoutMs: number;
  /** Keeps connections open between exchanges: a new one begins slowly. */
  readonly agent?: Agent;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: () => Readable;
  readonly sizeBytes?: number;
}

export interface HttpAnswer {
  readonly status: number;
  /** The centre's error code, where it sent one that this build knows. */
  readonly code?: ErrorCode;
  readonly headers: IncomingMessage['headers'];
}

/** Carries the code where an answer has no body. */
export const ERROR_HEADER = 'ngatu-error';

const ANSWER_MAX_BYTES = 16 * 1024;

/**
 * One request and its answer.
 * @throws NgatuError UPLOAD_FAILED where no answer came, or of a certificate where the other side's or ours is refused (retryable)
 */
export async function sendHttp(exchange: HttpExchange, signal: AbortSignal): Promise<HttpAnswer> {
  const { target, method, token, idleTimeoutMs, agent, headers, body, sizeBytes } = exchange;
  const send = target.protocol === 'https:' ? requestHttps : requestHttp;
  const request = send(target, {
    method,
    signal,
    timeout: idleTimeoutMs,
    ...(agent === undefined ? {} : { agent }),
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(sizeBytes === undefined ? {} : { 'content-length': sizeBytes }),
      ...headers,
    },
  });
  request.once('timeout', () => request.destroy(new Error(`no progress for ${idleTimeoutMs} ms`)));
  const answered = waitForAnswer(request);
  try {
    if (body === undefined) {
      request.end();
      return await answered;
    }
    // A centre that refuses answers before it has read the body, and the pipe then breaks: the answer counts.
    const piped = pipeline(body(), request).catch((error: unknown) => error);
    const answer = await answered;
    if (answer.status >= 300) request.destroy();
    await piped;
    return answer;
  } catch (error) {
    request.destroy();
    const refusal = describeTlsError(error, `reach ${target.origin}`);
    if (refusal !== undefined) throw refusal;
    throw new NgatuError('UPLOAD_FAILED', `${method} ${target.pathname}: ${errorMessage(error)}`, {
      retryable: true,
      cause: error,
    });
  }
}

function waitForAnswer(request: ClientRequest): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const onClose = (): void => reject(new Error('the connection closed without an answer'));
    request.on('error', reject);
    request.once('close', onClose);
    request.once('response', (response) => {
      // From here on the response tells how it ends; the request may be closed before its end has been read.
      request.off('close', onClose);
      readAnswer(response).then(resolve, reject);
    });
  });
}

async function readAnswer(response: IncomingMessage): Promise<HttpAnswer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > ANSWER_MAX_BYTES) break;
    chunks.push(chunk);
  }
  const { statusCode: status = 0, headers } = response;
  const told = headers[ERROR_HEADER];
  const code = readCode(told) ?? decodeErrorCode(Buffer.concat(chunks).toString('utf8'));
  return code === undefined ? { status, headers } : { status, headers, code };
}

function decodeErrorCode(text: string): ErrorCode | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && 'code' in value ? readCode(value.code) : undefined;
  } catch {
    return undefined;
  }
}

function readCode(code: unknown): ErrorCode | undefined {
  return typeof code === 'string' && Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : undefined;
}
