import { parseWithSchema, RoadUserLabel, Sha256, Slug } from '@ngatu/contract';
import { type Static, Type } from '@sinclair/typebox';
import manifestFile from '../manifest/assets.json' with { type: 'json' };

const downloadBytes = Type.Optional(
  Type.Integer({
    minimum: 1,
    description: 'Size of the package that is downloaded, bytes; for the progress only.',
  }),
);
const RelativePath = Type.String({ pattern: '^[^/\\\\].*$', description: 'Path inside the package.' });

/** Where an asset can be had. Sources are tried in the order they stand; whatever comes is verified by its sha256. */
const AssetSource = Type.Union([
  Type.Object(
    { kind: Type.Literal('local') },
    {
      additionalProperties: false,
      description: 'A file of this sha256, of any name, below the local folder.',
    },
  ),
  Type.Object(
    { kind: Type.Literal('url'), url: Type.String({ pattern: '^https?://[^\\s]+$' }) },
    { additionalProperties: false, description: 'The public upstream address, pinned to a revision.' },
  ),
  Type.Object(
    {
      kind: Type.Literal('npm'),
      package: Type.String({ pattern: '^(@[a-z0-9-]+/)?[a-z0-9._-]+$' }),
      version: Type.String({ pattern: '^\\d+\\.\\d+\\.\\d+$' }),
      path: RelativePath,
      integrity: Type.Optional(Type.String({ pattern: '^sha512-[A-Za-z0-9+/=]+$' })),
      downloadBytes,
    },
    { additionalProperties: false, description: 'A file inside a package of the npm registry.' },
  ),
  Type.Object(
    {
      kind: Type.Literal('debian'),
      package: Type.String({ pattern: '^[a-z0-9][a-z0-9.+-]+$' }),
      path: RelativePath,
      downloadBytes,
    },
    {
      additionalProperties: false,
      description: 'A file inside a Debian package; it is unpacked, not installed.',
    },
  ),
]);
export type AssetSource = Static<typeof AssetSource>;
export type NpmSource = Extract<AssetSource, { kind: 'npm' }>;
export type DebianSource = Extract<AssetSource, { kind: 'debian' }>;

const assetBase = {
  name: Slug,
  fileName: Type.String({
    pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
    description: 'Name of the file when it is fetched.',
  }),
  sha256: Sha256,
  sizeBytes: Type.Integer({ minimum: 1 }),
  purpose: Type.String({ minLength: 1 }),
  licence: Type.String({ minLength: 1, description: 'SPDX expression, or `none stated`.' }),
  licenceNote: Type.Optional(Type.String({ minLength: 1 })),
  attribution: Type.String({ minLength: 1 }),
  derivedFrom: Type.Optional(
    Type.Object({ asset: Slug, how: Type.String({ minLength: 1 }) }, { additionalProperties: false }),
  ),
  sources: Type.Array(AssetSource, { minItems: 1, maxItems: 8 }),
};

/** How a model is run. `labels` maps its class index to the road users that the product knows; others are ignored. */
const ModelDescription = Type.Object(
  {
    format: Type.Union([Type.Literal('yolox-onnx'), Type.Literal('centernet-tfjs')]),
    labels: Type.Record(Type.String({ pattern: '^\\d+$' }), RoadUserLabel),
    weights: Type.Optional(
      Type.Array(Slug, { description: 'Assets of kind `weights` that belong to the model.' }),
    ),
    maxFps: Type.Optional(
      Type.Number({
        minimum: 0.1,
        description:
          'Frames a second that one core of a gateway keeps up with; a scene is not analysed faster.',
      }),
    ),
  },
  { additionalProperties: false },
);
export type ModelDescription = Static<typeof ModelDescription>;

const ModelAsset = Type.Object(
  { ...assetBase, kind: Type.Literal('model'), model: ModelDescription },
  { additionalProperties: false },
);
export type ModelAsset = Static<typeof ModelAsset>;

const PlainAsset = Type.Object(
  {
    ...assetBase,
    kind: Type.Union(
      (['weights', 'network', 'video', 'truth'] as const).map((kind) => Type.Literal(kind)),
      { description: '`network`: a model that detects no road users, such as faces and plates to blur.' },
    ),
  },
  { additionalProperties: false },
);

/** `models/manifest/assets.json`: every file that the product uses and does not carry. */
export const AssetManifest = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    assets: Type.Array(Type.Union([ModelAsset, PlainAsset]), { minItems: 1, maxItems: 500 }),
  },
  { additionalProperties: false, $id: 'AssetManifest' },
);
export type AssetManifest = Static<typeof AssetManifest>;
export type Asset = AssetManifest['assets'][number];

/** The manifest that this build carries. */
export function loadAssetManifest(): AssetManifest {
  return parseWithSchema(AssetManifest, manifestFile, {
    code: 'ASSET_UNKNOWN',
    what: 'the asset manifest models/manifest/assets.json',
  });
}
