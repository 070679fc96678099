import {
  type ReadingManner,
  SENSOR_QUANTITIES,
  type SensorQuantity,
  type SensorReading,
} from '@ngatu/contract';

/** What can be believed of one reading, with the defaults of its quantity. */
export interface ReadingRule {
  readonly manner: ReadingManner;
  readonly unit: string;
  readonly scale: number;
  readonly offset: number;
  readonly counter?: { readonly modulus: number };
  readonly noValue: readonly number[];
  readonly bestQuality: 'good' | 'uncertain';
  readonly low: number;
  readonly high: number;
  readonly change?: { readonly step: number; readonly perMinute: number };
  /** 0: it may rest. */
  readonly stuckAfterMs: number;
  readonly rests: readonly number[];
  readonly intervalMs: number;
  readonly maxClockErrorMs: number;
  readonly deadBand?: number;
}

/** Puts what the profile says over what is known of the quantity. */
export function computeReadingRule(
  reading: SensorReading,
  sensor: { readonly intervalMs: number; readonly maxClockErrorMs?: number },
): ReadingRule {
  const known: SensorQuantity | undefined = Object.hasOwn(SENSOR_QUANTITIES, reading.metric)
    ? SENSOR_QUANTITIES[reading.metric]
    : undefined;
  const change = reading.change ?? known?.change;
  const { counter, deadBand } = reading;
  return {
    manner: reading.manner ?? known?.manner ?? 'mean',
    unit: reading.unit,
    scale: reading.scale,
    offset: reading.offset,
    ...(counter === undefined ? {} : { counter }),
    noValue: reading.noValue,
    bestQuality: reading.quality,
    low: reading.low ?? known?.low ?? Number.NEGATIVE_INFINITY,
    high: reading.high ?? known?.high ?? Number.POSITIVE_INFINITY,
    ...(change === undefined ? {} : { change }),
    stuckAfterMs: reading.stuckAfterMs ?? known?.stuckAfterMs ?? 0,
    rests: reading.rests ?? known?.rests ?? [],
    intervalMs: reading.intervalMs ?? sensor.intervalMs,
    maxClockErrorMs: sensor.maxClockErrorMs ?? Number.POSITIVE_INFINITY,
    ...(deadBand === undefined ? {} : { deadBand }),
  };
}
