import { type Static, Type } from '@sinclair/typebox';

const downloadBytes = Type.Optional(
  Type.Integer({
    minimum: 1,
    description: 'Size of the package that is downloaded, bytes; for the progress only.',
  }),
);

/** A path that stays below its folder: no `..`, no absolute path, no backslash. */
const InnerPath = (description: string) =>
  Type.String({
    pattern: '^[A-Za-z0-9@_][A-Za-z0-9@._-]*(/[A-Za-z0-9@_][A-Za-z0-9@._-]*)*$',
    maxLength: 200,
    description,
  });

/** Where a file can be had. Sources are tried in the order they stand; whatever comes is verified by its sha256. */
export const FileSource = Type.Union([
  Type.Object(
    {
      kind: Type.Literal('repository'),
      path: InnerPath('Path below the folder `models`: `weights/NAME.onnx`.'),
    },
    { additionalProperties: false, description: 'A file that the product carries.' },
  ),
  Type.Object(
    { kind: Type.Literal('beside'), path: InnerPath('Path below the folder of the manifest.') },
    {
      additionalProperties: false,
      description: 'A file beside the manifest that names it: for models that somebody adds.',
    },
  ),
  Type.Object(
    { kind: Type.Literal('local') },
    {
      additionalProperties: false,
      description: 'A file of this sha256, of any name, below the local folder.',
    },
  ),
  Type.Object(
    { kind: Type.Literal('url'), url: Type.String({ pattern: '^https?://[^\\s]+$', maxLength: 500 }) },
    { additionalProperties: false, description: 'The public upstream address, pinned to a revision.' },
  ),
  Type.Object(
    {
      kind: Type.Literal('npm'),
      package: Type.String({ pattern: '^(@[a-z0-9-]+/)?[a-z0-9._-]+$' }),
      version: Type.String({ pattern: '^\\d+\\.\\d+\\.\\d+$' }),
      path: InnerPath('Path inside the package.'),
      integrity: Type.Optional(Type.String({ pattern: '^sha512-[A-Za-z0-9+/=]+$' })),
      downloadBytes,
    },
    { additionalProperties: false, description: 'A file inside a package of the npm registry.' },
  ),
  Type.Object(
    {
      kind: Type.Literal('debian'),
      package: Type.String({ pattern: '^[a-z0-9][a-z0-9.+-]+$' }),
      path: InnerPath('Path inside the package.'),
      downloadBytes,
    },
    {
      additionalProperties: false,
      description: 'A file inside a Debian package; it is unpacked, not installed.',
    },
  ),
]);
export type FileSource = Static<typeof FileSource>;
