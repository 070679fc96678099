import type { ModelManifest, ModelTensor } from '@ngatu/contract';
import type { OnnxExpectations } from '../model/onnx-session.ts';
import { computeRoadClasses } from './road-class.ts';
import type { YoloxForm } from './yolox-decoder.ts';
import type { YoloxInputForm } from './yolox-input.ts';

/** YOLOX's own demo. */
const MAX_IOU = 0.45;
/** What YOLOX was trained with (its `preproc`). */
const PAD_VALUE = 114;

/** All that the detector must know of a network, from its manifest. */
export interface YoloxNetwork {
  readonly inputName: string;
  readonly outputName: string;
  /** Size of the input, px; absent where its axes are free. */
  readonly fixedSize?: { readonly width: number; readonly height: number };
  /** Where the axes are free, height and width must be multiples of this, px. */
  readonly step: number;
  readonly maxIou: number;
  readonly form: YoloxForm;
  readonly inputForm: YoloxInputForm;
  readonly expects: OnnxExpectations;
}

/**
 * Reads out of a manifest what the detector must know.
 * @throws RangeError saying what of it the detector cannot do, or what contradicts itself
 */
export function describeYolox(manifest: ModelManifest, minConfidence: number): YoloxNetwork {
  const { runtime, inputs, outputs, decoding, thresholds } = manifest;
  if (decoding.format !== 'yolox') throw new RangeError(`format yolox expected, found ${decoding.format}`);
  const [input, ...otherInputs] = inputs;
  const [output, ...otherOutputs] = outputs;
  if (input === undefined || output === undefined || otherInputs.length + otherOutputs.length > 0)
    throw new RangeError(`one input and one output expected, found ${inputs.length} and ${outputs.length}`);
  const { classes: classCount, strides } = decoding;
  const largest = Math.max(...strides);
  const step = manifest.preprocessing.sizeMultiple ?? largest;
  if (step % largest !== 0)
    throw new RangeError(`sizes in multiples of ${step} do not hold whole cells of ${largest}`);
  const fixedSize = computeFixedSize(input, step);
  requireOutput(output, classCount);
  return {
    inputName: input.name,
    outputName: output.name,
    ...(fixedSize === undefined ? {} : { fixedSize }),
    step,
    maxIou: thresholds.maxIou ?? MAX_IOU,
    form: { classCount, strides, classes: computeRoadClasses(manifest, minConfidence) },
    inputForm: describeInput(manifest, fixedSize !== undefined),
    expects: { opset: runtime.opset, inputs, outputs },
  };
}

function computeFixedSize(
  { shape, dtype, layout = 'NCHW', name }: ModelTensor,
  step: number,
): YoloxNetwork['fixedSize'] {
  const [batch, channels, height, width] = shape;
  const isPicture = shape.length === 4 && channels === 3 && (batch === 1 || typeof batch === 'string');
  if (!isPicture || dtype !== 'float32' || layout !== 'NCHW')
    throw new RangeError(
      `input "${name}" float32 NCHW [1, 3, height, width] expected, its manifest says ${dtype} ${layout} [${shape.join(', ')}]`,
    );
  if (typeof height === 'string' && typeof width === 'string') return undefined;
  if (typeof height !== 'number' || typeof width !== 'number')
    throw new RangeError('height and width must both be fixed or both be free');
  if (height % step !== 0 || width % step !== 0)
    throw new RangeError(`${width} × ${height} px are not multiples of ${step}`);
  return { width, height };
}

function requireOutput({ shape, dtype, name }: ModelTensor, classCount: number): void {
  const length = 5 + classCount;
  if (dtype === 'float32' && shape.length === 3 && shape[2] === length) return;
  throw new RangeError(
    `output "${name}" float32 [1, N, ${length}] expected for ${classCount} classes, its manifest says ${dtype} [${shape.join(', ')}]`,
  );
}

function describeInput({ preprocessing }: ModelManifest, isFixed: boolean): YoloxInputForm {
  const { colourOrder, mean, std, fit, place = 'top-left', padValue = PAD_VALUE } = preprocessing;
  if (colourOrder === 'grey') throw new RangeError('colours expected, its manifest says grey');
  if (place !== 'top-left')
    throw new RangeError(`pictures at the top left expected, its manifest says ${place}`);
  if (isFixed ? fit === 'pad' : fit !== 'pad')
    throw new RangeError(
      isFixed ? 'an input of fixed size is letterboxed or stretched' : 'an input of free size is only padded',
    );
  return { colourOrder, mean, std, padValue, isStretched: fit === 'stretch' };
}
