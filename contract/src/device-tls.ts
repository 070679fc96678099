import { type Static, Type } from '@sinclair/typebox';

const restart = { apply: 'restart' } as const;

const PemFile = (description: string) =>
  Type.Optional(Type.String({ pattern: '^/', minLength: 2, maxLength: 400, description, ...restart }));

/**
 * Mutual TLS with a broker of devices, which belongs to no authority of the province. Files, never values; they are read for each new
 * connection, so that a certificate that was rotated counts from the next one on.
 */
export const DeviceTls = Type.Object(
  {
    caFile: PemFile('Authority that the broker must be of, PEM. Absent: the authorities of the system.'),
    certFile: PemFile('Certificate that the node shows, PEM, with what leads to its authority.'),
    keyFile: PemFile('Its private key, PEM, unencrypted and readable by its owner alone.'),
  },
  {
    additionalProperties: false,
    description: 'Certificates of this connection, for `mqtts://`. `certFile` and `keyFile` go together.',
  },
);
export type DeviceTls = Static<typeof DeviceTls>;
