import { type Static, type TUnsafe, Type } from '@sinclair/typebox';
import { FileSource } from './file-source.ts';
import { Sha256, Slug } from './id.ts';

/** What a model is for. A part of the product takes only models of its task. */
export const MODEL_TASKS = [
  'road-user-detector',
  'plate-detector',
  'plate-reader',
  'face-detector',
  'mask-classifier',
  'lamp-state',
  'helmet',
  'occupants',
  'person-embedding',
] as const;
export type ModelTask = (typeof MODEL_TASKS)[number];

/** What a detector of road users may find beside them: never followed, but there for who looks for lamps and plates. */
export const ROAD_PART_LABELS = ['traffic-light', 'plate'] as const;
export type RoadPartLabel = (typeof ROAD_PART_LABELS)[number];

function literals<const T extends readonly string[]>(words: T, description: string): TUnsafe<T[number]> {
  const members = words.map((word) => Type.Literal(word));
  return Type.Union(members, { description }) as unknown as TUnsafe<T[number]>;
}
const Words = (description: string, maxLength = 600) => Type.String({ minLength: 1, maxLength, description });
const Fraction = (description: string) => Type.Number({ minimum: 0, maximum: 1, description });

const ModelFileEntry = Type.Object(
  {
    fileName: Type.String({
      pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
      maxLength: 100,
      description: 'Name of the file when it is fetched.',
    }),
    sha256: Sha256,
    sizeBytes: Type.Integer({ minimum: 1, maximum: 1_073_741_824, description: 'Size of the file, bytes.' }),
    sources: Type.Array(FileSource, { minItems: 1, maxItems: 8, description: 'Tried in this order.' }),
  },
  { additionalProperties: false },
);
export type ModelFileEntry = Static<typeof ModelFileEntry>;

const ModelTensor = Type.Object(
  {
    name: Type.String({
      minLength: 1,
      maxLength: 100,
      pattern: '^\\S+$',
      description: 'Name in the graph.',
    }),
    dtype: literals(['float32', 'float16', 'uint8', 'int32', 'int64'], 'Type of its values.'),
    shape: Type.Array(
      Type.Union([
        Type.Integer({ minimum: 1, maximum: 1_000_000 }),
        Type.String({ pattern: '^[a-z][A-Za-z0-9_]*$', maxLength: 24 }),
      ]),
      {
        minItems: 1,
        maxItems: 6,
        description:
          'Axes in order: a length, or a name for an axis that is free (`batch`, `height`, `rows`).',
      },
    ),
    layout: Type.Optional(literals(['NCHW', 'NHWC'], 'Order of the axes of a picture.')),
  },
  { additionalProperties: false },
);
export type ModelTensor = Static<typeof ModelTensor>;

const Preprocessing = Type.Object(
  {
    colourOrder: literals(['rgb', 'bgr', 'grey'], 'Order of the channels.'),
    mean: Type.Array(Type.Number({ minimum: -1000, maximum: 1000 }), {
      minItems: 1,
      maxItems: 3,
      description:
        'Taken from each value 0–255 of a channel, in the order of the channels; one number holds for all.',
    }),
    std: Type.Array(Type.Number({ minimum: 0.0001, maximum: 1000 }), {
      minItems: 1,
      maxItems: 3,
      description: 'What is left is divided by it: [1] gives 0–255, [255] with mean [0] gives 0–1.',
    }),
    fit: literals(
      ['stretch', 'letterbox', 'pad'],
      'How a picture of another size is laid in: stretched; scaled down with its sides kept and padded; or only padded.',
    ),
    place: Type.Optional(literals(['top-left', 'centre'], 'Where a picture lies in its padding.')),
    padValue: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 255,
        description: 'Value 0–255 of the padding, before mean and std.',
      }),
    ),
    sizeMultiple: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 128,
        description: 'Height and width must be multiples of this where these axes are free, px.',
      }),
    ),
  },
  { additionalProperties: false },
);

const Classes = Type.Integer({
  minimum: 1,
  maximum: 10_000,
  description: 'Number of classes in the output, also of those that no label names.',
});
const Strides = Type.Array(Type.Integer({ minimum: 1, maximum: 128 }), {
  minItems: 1,
  maxItems: 6,
  description: 'Steps of the grids in the order of the rows, px.',
});
const Alphabet = Type.Array(Type.String({ minLength: 1, maxLength: 4 }), {
  minItems: 2,
  maxItems: 20_000,
  description: 'Character of each class index.',
});

/** How the outputs become findings. One of these formats, or the product needs new code. */
export const ModelDecoding = Type.Union([
  Type.Object(
    { format: Type.Literal('yolox'), classes: Classes, strides: Strides },
    {
      additionalProperties: false,
      description:
        '`[1, N, 5 + classes]`: cx, cy, w, h raw, objectness, class confidences (arXiv 2107.08430).',
    },
  ),
  Type.Object(
    { format: Type.Literal('yunet'), strides: Strides },
    { additionalProperties: false, description: 'Per stride `cls`, `obj`, `bbox`, `kps`.' },
  ),
  Type.Object(
    { format: Type.Literal('aizoo') },
    { additionalProperties: false, description: 'Anchors of AIZOO’s FaceMaskDetection: `loc`, `cls`.' },
  ),
  Type.Object(
    { format: Type.Literal('rfb') },
    { additionalProperties: false, description: '`scores` `[1, N, classes]` and `boxes` `[1, N, 4]`, 0–1.' },
  ),
  Type.Object(
    {
      format: Type.Literal('boxes-after-nms'),
      columns: Type.Array(literals(['batch', 'x1', 'y1', 'x2', 'y2', 'class', 'confidence'], 'A column.'), {
        minItems: 5,
        maxItems: 7,
        uniqueItems: true,
        description: 'Columns of a row, in order.',
      }),
    },
    { additionalProperties: false, description: '`[n, columns]`: boxes in pixels of the input.' },
  ),
  Type.Object(
    {
      format: Type.Literal('character-slots'),
      alphabet: Alphabet,
      blank: Type.Optional(Type.String({ maxLength: 4, description: 'Character that stands for none.' })),
      slots: Type.Integer({ minimum: 1, maximum: 64, description: 'Places for characters.' }),
    },
    { additionalProperties: false, description: 'One character a slot: `[1, slots, alphabet]`.' },
  ),
  Type.Object(
    {
      format: Type.Literal('ctc'),
      alphabet: Alphabet,
      blankIndex: Type.Integer({ minimum: 0, maximum: 20_000, description: 'Class index of the blank.' }),
    },
    {
      additionalProperties: false,
      description: '`[1, steps, alphabet]`: connectionist temporal classification.',
    },
  ),
  Type.Object(
    {
      format: Type.Literal('class-scores'),
      classes: Classes,
      activation: literals(
        ['none', 'softmax', 'sigmoid'],
        'What turns the output into 0–1: `none` where the graph has it.',
      ),
    },
    { additionalProperties: false, description: '`[1, classes]`.' },
  ),
  Type.Object(
    { format: Type.Literal('embedding'), metric: literals(['cosine', 'euclidean'], 'How two are compared.') },
    { additionalProperties: false, description: '`[1, length]`.' },
  ),
]);
export type ModelDecoding = Static<typeof ModelDecoding>;

const Licence = Type.Object(
  {
    spdx: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9.+-]+( (AND|OR|WITH) [A-Za-z0-9.+-]+)*$',
        maxLength: 100,
        description: 'SPDX expression; absent where no licence is stated.',
      }),
    ),
    note: Type.Optional(Words('What the licence is that of, and what is known beside it.')),
    doubt: Type.Optional(
      Words('What is not clear about it. A model with a doubt is no default: the operator decides.'),
    ),
  },
  { additionalProperties: false, description: 'Licence of the weights.' },
);

const Thresholds = Type.Object(
  {
    minConfidence: Type.Optional(Fraction('Findings below this are not reported, 0–1.')),
    maxIou: Type.Optional(Fraction('Of two findings that overlap more, the less confident goes, IoU 0–1.')),
    perLabel: Type.Optional(
      Type.Record(Slug, Fraction('Confidence, 0–1.'), {
        additionalProperties: false,
        maxProperties: 200,
        description: 'Confidence by label where it differs from `minConfidence`.',
      }),
    ),
    reason: Type.Optional(Words('Where the numbers come from: which data, which rule of choice.')),
  },
  { additionalProperties: false, default: {} },
);

/** `models/registry/NAME/model.json`: all that must be known to run a model. Beside it lies its card, `card.md`. */
export const ModelManifest = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    name: Type.String({ ...Slug, description: 'Name of the model: that of its folder, and that in events.' }),
    task: literals(MODEL_TASKS, 'What it is for.'),
    purpose: Words('What it does in the product, one or two sentences.'),
    runtime: Type.Object(
      {
        kind: Type.Literal('onnx'),
        opset: Type.Integer({
          minimum: 7,
          maximum: 25,
          description: 'Version of the operators (domain `ai.onnx`) that the file imports.',
        }),
      },
      { additionalProperties: false },
    ),
    files: Type.Array(ModelFileEntry, {
      minItems: 1,
      maxItems: 1,
      description: 'Its one file: weights in other files are refused.',
    }),
    inputs: Type.Array(ModelTensor, { minItems: 1, maxItems: 4 }),
    outputs: Type.Array(ModelTensor, { minItems: 1, maxItems: 32 }),
    preprocessing: Preprocessing,
    decoding: ModelDecoding,
    labels: Type.Record(Type.String({ pattern: '^(0|[1-9]\\d{0,4})$' }), Slug, {
      default: {},
      additionalProperties: false,
      maxProperties: 1_000,
      description: 'Class index → label. Classes that are not named are not looked at.',
    }),
    thresholds: Thresholds,
    maxFps: Type.Optional(
      Type.Number({
        minimum: 0.1,
        maximum: 1_000,
        description:
          'Frames a second that one core of a gateway keeps up with; a scene is not analysed faster.',
      }),
    ),
    twoWheelersWithRiders: Type.Optional(
      Type.Boolean({
        description:
          'The box of a two-wheeler holds its riders too: persons on it are its occupants, and do not make its box larger.',
      }),
    ),
    licence: Licence,
    attribution: Words('Who made it, and where it was published.'),
    derivedFrom: Type.Optional(
      Type.Object(
        { model: Words('Name of the model, or of its source.', 200), how: Words('What was changed.') },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false, $id: 'ModelManifest' },
);
export type ModelManifest = Static<typeof ModelManifest>;
