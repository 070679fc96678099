import type { Readable } from 'node:stream';
import {
  buildUploadPartId,
  type ErrorCode,
  EVIDENCE_MAX_BYTES,
  NgatuError,
  parseUploadPartId,
  UPLOAD_PATH,
  UPLOAD_STORED_HEADER,
  type UploadPart,
} from '@ngatu/contract';
import { DataStore, ERRORS, Server, Upload } from '@tus/server';
import type { UploadDesk } from './upload-desk.ts';
import type { UploadParts } from './upload-parts.ts';

export interface UploadServerParts {
  readonly desk: UploadDesk;
  readonly parts: UploadParts;
  /** HTTP status that an error of this code is answered with. */
  readonly statusOf: (code: ErrorCode) => number;
}

/**
 * Resumable upload by tus 1.0.0 (core, creation, creation-with-upload): each part of an evidence file is one upload, so that
 * several travel side by side over a link where loss keeps a single flow slow. An upload's id says which bytes of which file it holds.
 */
export function buildUploadServer({ desk, parts, statusOf }: UploadServerParts): Server {
  return new Server({
    path: UPLOAD_PATH,
    datastore: new PartStore(desk, parts),
    maxSize: EVIDENCE_MAX_BYTES,
    relativeLocation: true,
    allowedOrigins: [],
    disableTerminationForFinishedUploads: true,
    namingFunction: (request, metadata) => buildUploadPartId(readCreation(request, metadata)),
    onIncomingRequest: async (_request, id) => {
      const part = requirePartId(id);
      desk.requirePart(part);
      if (await desk.hasArrived(part.sha256)) throw ERRORS.FILE_NO_LONGER_EXISTS;
    },
    onUploadFinish: async (_request, upload) => {
      const isWhole = await desk.hasArrived(requirePartId(upload.id).sha256);
      return isWhole ? { headers: { [UPLOAD_STORED_HEADER]: 'stored' } } : {};
    },
    onResponseError: async (_request, error) => {
      if (!(error instanceof NgatuError)) return undefined;
      const { code, message } = error;
      return { status_code: statusOf(code), body: JSON.stringify({ code, message }) };
    },
  });
}

/** Keeps parts by their names alone; nothing is written about an upload beside its bytes. */
class PartStore extends DataStore {
  readonly #desk: UploadDesk;
  readonly #parts: UploadParts;

  constructor(desk: UploadDesk, parts: UploadParts) {
    super();
    this.#desk = desk;
    this.#parts = parts;
    this.extensions = ['creation', 'creation-with-upload'];
  }

  override async create(upload: Upload): Promise<Upload> {
    await this.#parts.create(requirePartId(upload.id));
    return upload;
  }

  override async write(content: Readable, id: string, offset: number): Promise<number> {
    const part = requirePartId(id);
    return this.#parts.write(part, offset, content, (count) => this.#desk.noteBytes(part.sha256, count));
  }

  override async getUpload(id: string): Promise<Upload> {
    const part = requirePartId(id);
    const offset = await this.#parts.readOffset(part);
    if (offset === undefined) throw ERRORS.FILE_NOT_FOUND;
    return new Upload({ id, size: part.length, offset });
  }
}

/** @throws what tus answers with 404 */
function requirePartId(id: string): UploadPart {
  const part = parseUploadPartId(id);
  if (part === undefined) throw ERRORS.FILE_NOT_FOUND;
  return part;
}

/** @throws NgatuError REQUEST_INVALID */
function readCreation(request: Request, metadata: Record<string, string | null> | undefined): UploadPart {
  const length = request.headers.get('upload-length') ?? '';
  const text = `${metadata?.['sha256'] ?? ''}-${metadata?.['start'] ?? ''}-${length}`;
  const part = parseUploadPartId(text);
  if (part !== undefined) return part;
  throw new NgatuError(
    'REQUEST_INVALID',
    'Cannot create an upload: its metadata must name "sha256" and "start", and its length must be known',
  );
}
