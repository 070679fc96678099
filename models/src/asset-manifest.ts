import { FileSource, parseWithSchema, Sha256, Slug } from '@ngatu/contract';
import { type Static, Type } from '@sinclair/typebox';
import manifestFile from '../manifest/assets.json' with { type: 'json' };

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
  sources: Type.Array(FileSource, { minItems: 1, maxItems: 8 }),
};

const PlainAsset = Type.Object(
  {
    ...assetBase,
    kind: Type.Union((['video', 'truth'] as const).map((kind) => Type.Literal(kind))),
  },
  { additionalProperties: false },
);

/** `models/manifest/assets.json`: clips and data that the product uses and does not carry. Models have manifests of their own. */
export const AssetManifest = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    assets: Type.Array(PlainAsset, { maxItems: 500 }),
  },
  { additionalProperties: false, $id: 'AssetManifest' },
);
export type AssetManifest = Static<typeof AssetManifest>;
export type AssetSource = FileSource;
export type NpmSource = Extract<AssetSource, { kind: 'npm' }>;
export type DebianSource = Extract<AssetSource, { kind: 'debian' }>;

/**
 * A file that the store can find: a clip or data of the asset manifest, or the file of a model. `model` detects road users, `network` is any
 * other model.
 */
export interface Asset extends Omit<AssetManifest['assets'][number], 'kind'> {
  readonly kind: 'model' | 'network' | 'video' | 'truth';
  /** Folder of the manifest, for sources beside it. */
  readonly folder?: string;
}

/** The manifest that this build carries. @throws NgatuError ASSET_UNKNOWN */
export function loadAssetManifest(): AssetManifest {
  return parseWithSchema(AssetManifest, manifestFile, {
    code: 'ASSET_UNKNOWN',
    what: 'the asset manifest models/manifest/assets.json',
  });
}
