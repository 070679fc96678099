import { parseWithSchema, Sha256 } from '@ngatu/contract';
import { FACE_FEATURES, type FusionCoefficients, MASK_FEATURES } from '@ngatu/edge';
import { type Static, Type } from '@sinclair/typebox';
import trainingFile from '../../training/mask-faces.json' with { type: 'json' };

const listOf = (length: number) => Type.Array(Type.Number(), { minItems: length, maxItems: length });

const Coefficients = Type.Object({
  face: listOf(FACE_FEATURES),
  mask: listOf(MASK_FEATURES),
  minShare: Type.Number({ minimum: 0.01, maximum: 0.99 }),
});

/** A network that was trained without the pictures of one fold: it takes the place of the one that ships. */
const FoldNetwork = Type.Object({ path: Type.String({ minLength: 1 }), sha256: Sha256 });
export type FoldNetwork = Static<typeof FoldNetwork>;

/** What the coefficients of `fused` were learned on, those of the product, and those that were learned without the pictures of one fold. */
const MaskTraining = Type.Object({
  schemaVersion: Type.Literal(3),
  data: Type.String(),
  all: Coefficients,
  folds: Type.Array(Coefficients, { minItems: 2 }),
  networks: Type.Array(FoldNetwork, { minItems: 2 }),
  pictures: Type.Array(Type.Object({ sha256: Sha256, fold: Type.Integer({ minimum: 0 }) })),
});
export interface MaskTraining extends Omit<Static<typeof MaskTraining>, 'all' | 'folds'> {
  readonly all: FusionCoefficients;
  readonly folds: readonly FusionCoefficients[];
}

/** models/training/mask-faces.json. @throws NgatuError TRUTH_INVALID */
export function readMaskTraining(): MaskTraining {
  return parseWithSchema(MaskTraining, trainingFile, {
    code: 'TRUTH_INVALID',
    what: 'models/training/mask-faces.json',
  });
}
