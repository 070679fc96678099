import { Timestamp } from '@ngatu/contract';
import { Type } from '@sinclair/typebox';
import { ApiError } from './api-schema.ts';

const closed = { additionalProperties: false };
const Count = Type.Integer({ minimum: 0 });

export const DeadLetterQuery = Type.Object(
  { limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }) },
  closed,
);

export const DeadLetterList = Type.Object(
  {
    total: Count,
    items: Type.Array(
      Type.Object(
        {
          topic: Type.String(),
          code: ApiError.properties.code,
          reason: Type.String(),
          receivedAt: Timestamp,
          sizeBytes: Count,
          payloadStart: Type.String({ description: 'The first 2,000 bytes as UTF-8.' }),
        },
        closed,
      ),
    ),
  },
  closed,
);
