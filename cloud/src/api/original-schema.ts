import { EvidenceFile, EvidenceGone, Sha256, Timestamp } from '@ngatu/contract';
import { type Static, Type } from '@sinclair/typebox';
import { REQUEST_CAUSES } from '../store/transfer-store.ts';

const closed = { additionalProperties: false };

const FileTransfer = Type.Object(
  {
    receivedBytes: Type.Optional(
      Type.Integer({ minimum: 0, description: 'Of its bytes at the centre, as of `receivedAt`.' }),
    ),
    receivedAt: Type.Optional(Timestamp),
    requestedAt: Type.Optional(Timestamp),
    requestedBy: Type.Optional(Type.String()),
    cause: Type.Optional(
      Type.Union(
        REQUEST_CAUSES.map((cause) => Type.Literal(cause)),
        { description: 'Whether a person asked, or the decision did.' },
      ),
    ),
    gone: Type.Optional(
      Type.Object(
        { reason: EvidenceGone.properties.reason, detail: Type.Optional(Type.String()), at: Timestamp },
        { ...closed, description: 'The node no longer has it.' },
      ),
    ),
  },
  {
    ...closed,
    description: 'What is known of a file that has not arrived; absent where it lies on the node unasked.',
  },
);
/** Properties of a file that say where it is. */
export const FILE_WHEREABOUTS = { arrived: Type.Boolean(), transfer: Type.Optional(FileTransfer) };

export const OriginalStatus = Type.Object(
  {
    files: Type.Array(
      Type.Object(
        {
          role: EvidenceFile.properties.role,
          sha256: Sha256,
          sizeBytes: EvidenceFile.properties.sizeBytes,
          ...FILE_WHEREABOUTS,
        },
        closed,
      ),
    ),
  },
  closed,
);
export type OriginalStatus = Static<typeof OriginalStatus>;

export const OriginalRequest = Type.Object(
  {
    reason: Type.String({ minLength: 3, maxLength: 500, description: 'Why; it goes into the audit trail.' }),
  },
  closed,
);
