import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ERROR_CODES, type ErrorCode, NgatuError } from '@ngatu/contract';

export interface HttpExchange {
  readonly target: URL;
  readonly method: 'HEAD' | 'PUT';
  readonly token: string;
  readonly idleTimeoutMs: number;
  readonly body?: () => Readable;
  readonly sizeBytes?: number;
}

export interface HttpAnswer {
  readonly status: number;
  /** The centre's error code, where it sent one that this build knows. */
  readonly code?: ErrorCode;
}

const ANSWER_MAX_BYTES = 16 * 1024;

/**
 * One request with a bearer token and its answer.
 * @throws NgatuError UPLOAD_FAILED (retryable) where no answer came
 */
export async function sendHttp(exchange: HttpExchange, signal: AbortSignal): Promise<HttpAnswer> {
  const { target, method, token, idleTimeoutMs, body, sizeBytes } = exchange;
  const send = target.protocol === 'https:' ? requestHttps : requestHttp;
  const request = send(target, {
    method,
    signal,
    timeout: idleTimeoutMs,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined
        ? {}
        : { 'content-type': 'application/octet-stream', 'content-length': sizeBytes }),
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
    throw new NgatuError(
      'UPLOAD_FAILED',
      `${method} ${target.pathname}: ${error instanceof Error ? error.message : error}`,
      {
        retryable: true,
        cause: error,
      },
    );
  }
}

function waitForAnswer(request: ClientRequest): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    request.on('error', reject);
    request.once('close', () => reject(new Error('the connection closed without an answer')));
    request.once('response', (response) => readAnswer(response).then(resolve, reject));
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
  const status = response.statusCode ?? 0;
  const code = decodeErrorCode(Buffer.concat(chunks).toString('utf8'));
  return code === undefined ? { status } : { status, code };
}

function decodeErrorCode(text: string): ErrorCode | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('code' in value)) return undefined;
    const { code } = value;
    return typeof code === 'string' && code in ERROR_CODES ? (code as ErrorCode) : undefined;
  } catch {
    return undefined;
  }
}
