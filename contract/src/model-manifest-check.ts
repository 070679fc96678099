import { NgatuError } from './error-code.ts';
import { ROAD_USER_LABELS } from './event.ts';
import { type ModelDecoding, ModelManifest, ROAD_PART_LABELS } from './model-manifest.ts';
import { parseWithSchema } from './schema.ts';

/**
 * A model manifest from the value of its file: of its schema, and not in contradiction with itself. Whether the file of the model has what the manifest
 * says is seen when it is opened.
 * @param what names the file in messages
 * @throws NgatuError MODEL_MANIFEST_INVALID
 */
export function parseModelManifest(value: unknown, what: string): ModelManifest {
  const manifest = parseWithSchema(ModelManifest, value, { code: 'MODEL_MANIFEST_INVALID', what });
  const problem = findContradiction(manifest);
  if (problem !== undefined)
    throw new NgatuError('MODEL_MANIFEST_INVALID', `Cannot accept ${what}: ${problem}`);
  return manifest;
}

/** The first contradiction; undefined where there is none. */
function findContradiction(manifest: ModelManifest): string | undefined {
  return (
    findUnfilled(manifest) ??
    findInLabels(manifest) ??
    findInTensors(manifest) ??
    findInPreprocessing(manifest) ??
    findInDecoding(manifest.decoding)
  );
}

/** What stands in a draft where a person has to fill something in. */
const UNFILLED = '…';

function findUnfilled({ purpose, attribution, licence }: ModelManifest): string | undefined {
  const fields = { purpose, attribution, 'licence/doubt': licence.doubt, 'licence/note': licence.note };
  const [unfilled] = Object.entries(fields).find(([, text]) => text?.trim() === UNFILLED) ?? [];
  return unfilled === undefined ? undefined : `/${unfilled}: it is not filled in`;
}

function findInLabels({ task, decoding, labels, thresholds }: ModelManifest): string | undefined {
  const count = 'classes' in decoding ? decoding.classes : undefined;
  const entries = Object.entries(labels);
  for (const [index, label] of entries)
    if (count !== undefined && Number(index) >= count)
      return `/labels/${index}: "${label}", but decoding.classes is ${count}`;
  const names = new Set(Object.values(labels));
  for (const label of Object.keys(thresholds.perLabel ?? {}))
    if (!names.has(label)) return `/thresholds/perLabel/${label}: no label is called so`;
  if (task !== 'road-user-detector') return undefined;
  const users: readonly string[] = ROAD_USER_LABELS;
  const known = [...users, ...ROAD_PART_LABELS];
  const unknown = entries.find(([, label]) => !known.includes(label));
  if (unknown !== undefined) return `/labels/${unknown[0]}: "${unknown[1]}" is none of ${known.join(', ')}`;
  return entries.some(([, label]) => users.includes(label)) ? undefined : '/labels: no road user is named';
}

function findInTensors({ inputs, outputs, decoding }: ModelManifest): string | undefined {
  for (const [key, tensors] of Object.entries({ inputs, outputs }))
    if (new Set(tensors.map(({ name }) => name)).size < tensors.length)
      return `/${key}: a name stands there twice`;
  if (decoding.format !== 'yolox') return undefined;
  const [output] = outputs;
  const length = 5 + decoding.classes;
  if (output === undefined || output.shape.length !== 3 || output.shape[2] !== length)
    return `/outputs/0/shape: [1, N, ${length}] expected for ${decoding.classes} classes, found [${output?.shape.join(', ') ?? ''}]`;
  return undefined;
}

function findInPreprocessing({ preprocessing }: ModelManifest): string | undefined {
  const { colourOrder, mean, std, fit, padValue } = preprocessing;
  const channels = colourOrder === 'grey' ? 1 : 3;
  for (const [key, numbers] of Object.entries({ mean, std }))
    if (numbers.length !== 1 && numbers.length !== channels)
      return `/preprocessing/${key}: 1 or ${channels} numbers expected, found ${numbers.length}`;
  if (fit === 'letterbox' && padValue === undefined)
    return '/preprocessing/padValue: needed where pictures are letterboxed';
  return undefined;
}

function findInDecoding(decoding: ModelDecoding): string | undefined {
  switch (decoding.format) {
    case 'ctc':
      return decoding.blankIndex < decoding.alphabet.length
        ? undefined
        : `/decoding/blankIndex: ${decoding.blankIndex}, but ${decoding.alphabet.length} characters`;
    case 'character-slots':
      return decoding.blank === undefined || decoding.alphabet.includes(decoding.blank)
        ? undefined
        : `/decoding/blank: "${decoding.blank}" is not in the alphabet`;
    default:
      return undefined;
  }
}
