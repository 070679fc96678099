import { NgatuError } from '@ngatu/contract';
import {
  buildTemperatureTable,
  FLIR_ATMOSPHERE,
  type MeasuringConditions,
  type PlanckConstants,
} from './radiometry.ts';

/** How the raw 16-bit values of a camera become temperatures: what its data sheet, or its calibration, states. */
export type RawMapping =
  | {
      /** `°C = gain · raw + offset`; 0.01 and −273.15 for cameras that deliver hundredths of a kelvin. */
      readonly kind: 'linear';
      readonly gain: number;
      readonly offsetC: number;
    }
  | { readonly kind: 'planck'; readonly planck: PlanckConstants; readonly conditions: MeasuringConditions };

/**
 * Temperature of each raw value 0–65535, °C. Owned by the caller.
 * @throws NgatuError PROFILE_INVALID where the mapping makes no temperature
 */
export function buildMappingTable(mapping: RawMapping): Float32Array {
  if (mapping.kind === 'planck')
    return checkTable(buildTemperatureTable(mapping.planck, mapping.conditions, FLIR_ATMOSPHERE));
  const { gain, offsetC } = mapping;
  return checkTable(Float32Array.from({ length: 65_536 }, (_, raw) => gain * raw + offsetC));
}

/** A gate looks at 10–45 °C: a mapping that never gets there is a wrong one. */
function checkTable(table: Float32Array): Float32Array {
  if (!table.some((celsius) => celsius > 10 && celsius < 45))
    throw new NgatuError(
      'PROFILE_INVALID',
      'Cannot map raw values to temperatures: no raw value means 10–45 °C by this mapping',
    );
  return table;
}
