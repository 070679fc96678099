import { EventId, findSchemaIssues, NgatuError, Sha256, Timestamp } from '@ngatu/contract';
import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { encodeCanonicalJson } from '../canonical-json.ts';

const closed = { additionalProperties: false } as const;

/** Where a file of a manifest is, as far as this export is concerned. */
export const EXPORT_FILE_STATES = ['included', 'on-node', 'withheld', 'erased'] as const;

/**
 * `export.json`: what an export holds. `included` lies in the archive; `on-node` had not come to the centre yet, its digest is
 * sealed; `withheld` was left out by who exported; `erased` was deleted by the rules of retention.
 */
export const ExportIndex = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    kind: Type.Literal('ngatu-case-export'),
    exportedAt: Timestamp,
    exportedBy: Type.String({ minLength: 1, maxLength: 64 }),
    reason: Type.String({ minLength: 1, maxLength: 500 }),
    softwareVersion: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
    events: Type.Array(
      Type.Object(
        {
          eventId: EventId,
          files: Type.Array(
            Type.Object(
              {
                sha256: Sha256,
                state: Type.Union(EXPORT_FILE_STATES.map((state) => Type.Literal(state))),
                path: Type.Optional(Type.String({ maxLength: 200, description: 'Where `included`.' })),
              },
              closed,
            ),
            { maxItems: 16 },
          ),
        },
        closed,
      ),
      { minItems: 1, maxItems: 20 },
    ),
    items: Type.Array(
      Type.Object(
        { path: Type.String({ maxLength: 200 }), sha256: Sha256, sizeBytes: Type.Integer({ minimum: 0 }) },
        closed,
      ),
      { maxItems: 1_000, description: 'Every other entry of the archive.' },
    ),
  },
  closed,
);
export type ExportIndex = Static<typeof ExportIndex>;
export type ExportFileState = ExportIndex['events'][number]['files'][number]['state'];

export const EXPORT_PATHS = {
  index: 'export.json',
  sheet: 'ho-so.html',
  citizenSheet: 'ban-cho-cong-dan.html',
  authority: 'certificates/ca.pem',
  revocations: 'certificates/crl.pem',
  event: (eventId: string) => `events/${eventId}/event.json`,
  manifest: (eventId: string) => `events/${eventId}/manifest.json`,
  receipt: (eventId: string) => `events/${eventId}/receipt.json`,
  review: (eventId: string) => `events/${eventId}/case.json`,
  file: (sha256: string, mediaType: string) => `files/${sha256}.${mediaType === 'video/mp4' ? 'mp4' : 'jpg'}`,
} as const;

/** A JSON entry is far below; a picture is never parsed. */
const JSON_MAX_BYTES = 1024 * 1024;

/**
 * Reads a JSON entry. It must be in the canonical form that it was written in: there is no second way to read it.
 * @throws NgatuError EXPORT_INVALID
 */
export function decodeExportJson<T extends TSchema>(
  schema: T,
  path: string,
  bytes: Uint8Array | undefined,
): Static<T> {
  if (bytes === undefined) throw refuse(path, 'it is not there');
  if (bytes.length > JSON_MAX_BYTES) throw refuse(path, `it has more than ${JSON_MAX_BYTES} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new NgatuError('EXPORT_INVALID', `Cannot read ${path} of the export: it is no JSON`, { cause });
  }
  const [issue] = findSchemaIssues(schema, value, 1);
  if (issue !== undefined) throw refuse(path, `${issue.path || '/'}: ${issue.reason}`);
  const canonical = encodeCanonicalJson(value);
  if (canonical.length !== bytes.length || canonical.some((byte, index) => byte !== bytes[index]))
    throw refuse(path, 'it is not in canonical form');
  return value as Static<T>;
}

function refuse(path: string, reason: string): NgatuError {
  return new NgatuError('EXPORT_INVALID', `Cannot read ${path} of the export: ${reason}`);
}
