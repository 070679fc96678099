import type { UntrustedParser } from '@ngatu/contract';
import { CAMERA_PARSERS } from './camera-parsers.ts';
import { MASK_PARSERS } from './mask-parsers.ts';
import { MEDIA_PARSERS } from './media-parsers.ts';
import { MODEL_PARSERS } from './model-parsers.ts';
import { NODE_PARSERS } from './node-parsers.ts';
import { SENSOR_PARSERS } from './sensor-parsers.ts';
import { THERMAL_PARSERS } from './thermal-parsers.ts';
import { UPLINK_PARSERS } from './uplink-parsers.ts';

/** Parsers of the edge that meet untrusted input. */
export const EDGE_PARSERS: readonly UntrustedParser[] = [
  ...CAMERA_PARSERS,
  ...NODE_PARSERS,
  ...UPLINK_PARSERS,
  ...THERMAL_PARSERS,
  ...SENSOR_PARSERS,
  ...MASK_PARSERS,
  ...MEDIA_PARSERS,
  ...MODEL_PARSERS,
];
