import { Sha256, Timestamp } from '@ngatu/contract';
import { type Static, Type } from '@sinclair/typebox';

/** How the evidence of a case stands: sealed, countersigned, and where in its chain. */
export const SealStatus = Type.Object(
  {
    sealedAt: Type.Unsafe<string>({ ...Timestamp, description: 'When the node sealed it, by its clock.' }),
    receivedAt: Type.Unsafe<string>({
      ...Timestamp,
      description: 'When the ingestor had proved the seal and signed its receipt.',
    }),
    manifestSha256: Sha256,
    chainId: Type.String(),
    chainSeq: Type.Integer({ minimum: 1 }),
    links: Type.Integer({ minimum: 1, description: 'Links of this chain that are at the centre.' }),
    lastSeq: Type.Integer({ minimum: 1, description: 'The highest place among them.' }),
    missing: Type.Integer({ minimum: 0, description: 'Places below it that are not at the centre.' }),
  },
  {
    additionalProperties: false,
    description: 'What is proved of the evidence; absent where it carries no seal.',
  },
);
export type SealStatus = Static<typeof SealStatus>;
