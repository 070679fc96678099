import { createHash, timingSafeEqual } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import { NgatuError } from '@ngatu/contract';
import { Metadata } from '@tus/server';
import type { FastifyRequest } from 'fastify';
import type { EventStore } from '../store/event-store.ts';
import type { PeerJudge } from './peer-judge.ts';

/** By what a node that sends evidence is known: its certificate, or on closed networks a token that all nodes share. */
export interface UploaderParts {
  readonly events: Pick<EventStore, 'isEvidenceAnnounced'>;
  readonly judge?: PeerJudge;
  readonly nodeToken?: string;
}

/**
 * Lets a request pass where a node makes it that may: over TLS the node that its certificate names, for files that this node's own
 * manifests announced; in the clear whoever shows the token, where there is one.
 * @throws NgatuError UNAUTHENTICATED, FORBIDDEN, CERTIFICATE_REVOKED and what else `PeerJudge.identify` finds; EVIDENCE_UNKNOWN
 *   (retryable) for a file that the node has not announced
 */
export async function requireUploader(request: FastifyRequest, parts: UploaderParts): Promise<void> {
  const { socket } = request.raw;
  if (!(socket instanceof TLSSocket) || parts.judge === undefined) {
    requireToken(request, parts.nodeToken ?? '');
    return;
  }
  const { holder } = await parts.judge.identify(socket);
  if (holder.kind !== 'node')
    throw new NgatuError('FORBIDDEN', `Cannot take evidence: the certificate is of the ${holder.kind}`);
  const sha256 = findDigest(request);
  if (sha256 === undefined || parts.events.isEvidenceAnnounced(sha256, holder)) return;
  throw new NgatuError(
    'EVIDENCE_UNKNOWN',
    `Cannot take evidence ${sha256}: no manifest of ${holder.site}/${holder.node} announced it`,
    { retryable: true },
  );
}

/**
 * Lets a body pass that speaks for the node of the certificate.
 * @throws NgatuError FORBIDDEN
 */
export async function requireOwnName(request: FastifyRequest, { judge }: UploaderParts): Promise<void> {
  const { socket } = request.raw;
  const { body } = request;
  if (!(socket instanceof TLSSocket) || judge === undefined) return;
  if (typeof body !== 'object' || body === null || !('site' in body) || !('node' in body)) return;
  const { holder } = await judge.identify(socket);
  if (holder.kind === 'node' && body.site === holder.site && body.node === holder.node) return;
  throw new NgatuError('FORBIDDEN', 'Cannot take this: it speaks for another node than the certificate');
}

/** The digest of the file that a request is about: in its path, or in what tus says of a new upload. */
function findDigest({ url, headers }: FastifyRequest): string | undefined {
  // No second reading of the address may lead to another file: neither escapes nor a query.
  if (!/^[\w./-]+$/.test(url))
    throw new NgatuError('REQUEST_INVALID', 'Cannot read the address of an upload');
  const inPath = /\/([0-9a-f]{64})(?=[-/]|$)/.exec(url)?.[1];
  if (inPath !== undefined) return inPath;
  const metadata = headers['upload-metadata'];
  if (typeof metadata !== 'string') return undefined;
  try {
    return Metadata.parse(metadata)['sha256'] ?? undefined;
  } catch (error) {
    throw new NgatuError('REQUEST_INVALID', 'Cannot read what the upload says of itself', { cause: error });
  }
}

/** Compares in a time that does not tell how much of the token was right. */
export function requireToken(request: FastifyRequest, token: string): void {
  const offered = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  if (token === '' || !timingSafeEqual(digest(offered), digest(token))) {
    throw new NgatuError('UNAUTHENTICATED', 'The bearer token is missing or wrong');
  }
}
