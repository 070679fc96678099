import { type FileHandle, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { errorMessage, systemCodeOf } from '@ngatu/contract';

export interface DownloadOptions {
  readonly url: string;
  /** Grows with the bytes received and survives a broken connection, also of another process run. */
  readonly partPath: string;
  readonly sizeBytes: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((receivedBytes: number) => void) | undefined;
  /** How long the server may take to answer, ms. */
  readonly answerTimeoutMs: number;
  /** How long it may pause while it sends, ms. */
  readonly stallTimeoutMs: number;
}

/** The server could not be reached at all: trying another address of the same host would not help. */
export class HostUnreachable extends Error {}

/** The server answered, but not with the file. */
class Refused extends Error {}

/** The server has a file of another size than the manifest says. */
export class SizeDiffers extends Refused {}

const MAX_FRUITLESS_ATTEMPTS = 3;
const MAX_ATTEMPTS = 20;

/**
 * Downloads `url` into `partPath`, going on where an earlier attempt broke off (HTTP ranges, guarded by the entity
 * tag). Returns when `sizeBytes` have arrived; the caller verifies them.
 * @throws HostUnreachable, or an Error that says what the server did
 */
export async function downloadFile(options: DownloadOptions): Promise<void> {
  let fruitless = 0;
  for (let attempt = 1; ; attempt++) {
    const before = await partSize(options.partPath);
    if (before === options.sizeBytes) return;
    try {
      await receive(options, before);
      return;
    } catch (error) {
      options.signal?.throwIfAborted();
      if (error instanceof Refused || isStorageFailure(error)) throw error;
      if (error instanceof HostUnreachable && attempt === 1) throw error;
      fruitless = (await partSize(options.partPath)) > before ? 0 : fruitless + 1;
      if (fruitless >= MAX_FRUITLESS_ATTEMPTS || attempt >= MAX_ATTEMPTS) throw error;
      await delay(200 * 2 ** fruitless, undefined, { signal: options.signal });
    }
  }
}

/** Forgets a partial download. */
export async function discardDownload(partPath: string): Promise<void> {
  await rm(partPath, { force: true });
  await rm(tagPath(partPath), { force: true });
}

function tagPath(partPath: string): string {
  return `${partPath}.etag`;
}

function isStorageFailure(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EACCES', 'EPERM', 'EROFS'].includes(systemCodeOf(error) ?? '');
}

async function partSize(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return 0;
    throw error;
  }
}

async function readTag(partPath: string): Promise<string | undefined> {
  try {
    return await readFile(tagPath(partPath), 'utf8');
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** One request. Aborts where the answer or its next bytes take too long. */
async function receive(options: DownloadOptions, offset: number): Promise<void> {
  const watch = new AbortController();
  const signal =
    options.signal === undefined ? watch.signal : AbortSignal.any([watch.signal, options.signal]);
  let timer = setTimeout(
    () => watch.abort(new HostUnreachable(`no answer within ${options.answerTimeoutMs} ms`)),
    options.answerTimeoutMs,
  );
  const onChunk = () => {
    clearTimeout(timer);
    const stalled = new Error(`the server sent nothing for ${options.stallTimeoutMs} ms`);
    timer = setTimeout(() => watch.abort(stalled), options.stallTimeoutMs);
  };
  try {
    const response = await request(options, offset, signal);
    onChunk();
    await store(options, offset, response, onChunk);
  } catch (error) {
    throw watch.signal.aborted ? watch.signal.reason : error;
  } finally {
    clearTimeout(timer);
  }
}

async function request(options: DownloadOptions, offset: number, signal: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (offset > 0) {
    headers['range'] = `bytes=${offset}-`;
    const tag = await readTag(options.partPath);
    if (tag !== undefined) headers['if-range'] = tag;
  }
  let response: Response;
  try {
    response = await fetch(options.url, { headers, signal });
  } catch (error) {
    if (signal.aborted) throw error;
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    const code = systemCodeOf(error);
    throw new HostUnreachable(errorMessage(cause) || code || 'connection failed', { cause: error });
  }
  if (response.status === 416) {
    await response.body?.cancel();
    await discardDownload(options.partPath);
    throw new Error('the server refused to resume (HTTP 416)');
  }
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    const retryable = response.status === 429 || response.status >= 500;
    throw new (retryable ? Error : Refused)(`HTTP ${response.status}`);
  }
  return response;
}

async function store(
  options: DownloadOptions,
  offset: number,
  response: Response,
  onChunk: () => void,
): Promise<void> {
  const resumed = response.status === 206 && contentRangeStart(response) === offset;
  if (response.status === 206 && !resumed) {
    await response.body?.cancel();
    await discardDownload(options.partPath);
    throw new Error('the server resumed at another place than asked');
  }
  const sizeBytes = announcedSize(response);
  if (sizeBytes !== undefined && sizeBytes !== options.sizeBytes) {
    await response.body?.cancel();
    throw new SizeDiffers(`size differs (expected ${options.sizeBytes} bytes, got ${sizeBytes})`);
  }
  const tag = response.headers.get('etag');
  if (tag !== null && !tag.startsWith('W/')) await writeFile(tagPath(options.partPath), tag);
  const file = await open(options.partPath, resumed ? 'a' : 'w');
  try {
    await append(file, options, resumed ? offset : 0, response, onChunk);
  } finally {
    await file.close();
  }
}

async function append(
  file: FileHandle,
  options: DownloadOptions,
  offset: number,
  response: Response,
  onChunk: () => void,
): Promise<void> {
  let received = offset;
  for await (const chunk of response.body ?? []) {
    onChunk();
    received += chunk.byteLength;
    if (received > options.sizeBytes) {
      throw new SizeDiffers(`size differs (expected ${options.sizeBytes} bytes, got more)`);
    }
    await file.writeFile(chunk);
    options.onProgress?.(received);
  }
  if (received < options.sizeBytes) {
    throw new Error(`the connection ended after ${received} of ${options.sizeBytes} bytes`);
  }
  await file.sync();
}

function contentRangeStart(response: Response): number | undefined {
  const match = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '');
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

/** Size of the whole file as the server announces it; absent where it does not. */
function announcedSize(response: Response): number | undefined {
  const text =
    response.status === 206
      ? /\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1]
      : response.headers.get('content-length');
  return text === null || text === undefined ? undefined : Number(text);
}
