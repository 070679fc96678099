/**
 * Units in which readings may be given: UCUM codes (The Unified Code for Units of Measure, case-sensitive form) with what each
 * is. A code that is not here is refused: a unit that is spelled in two ways is two series.
 */
export const UNIT_CODES = {
  '1': 'a state, a share or a count',
  '%': 'percent',
  '[ppb]': 'parts per billion',
  '[ppm]': 'parts per million',
  A: 'ampere',
  Cel: 'degree Celsius',
  'dB[SPL]': 'decibel of sound pressure level',
  deg: 'degree of angle',
  h: 'hour',
  hPa: 'hectopascal',
  Hz: 'hertz',
  K: 'kelvin',
  'km/h': 'kilometre per hour',
  kPa: 'kilopascal',
  'kW.h': 'kilowatt hour',
  kg: 'kilogram',
  'L/s': 'litre per second',
  lx: 'lux',
  m: 'metre',
  'm/s': 'metre per second',
  'm3/s': 'cubic metre per second',
  mA: 'milliampere',
  'mg/m3': 'milligram per cubic metre',
  min: 'minute',
  mm: 'millimetre',
  'mm/h': 'millimetre per hour',
  ms: 'millisecond',
  mV: 'millivolt',
  s: 'second',
  'ug/m3': 'microgram per cubic metre',
  V: 'volt',
  'V.A': 'volt ampere',
  W: 'watt',
  'W/m2': 'watt per square metre',
} as const satisfies Readonly<Record<string, string>>;
export type UnitCode = keyof typeof UNIT_CODES;

/**
 * What the readings of a stretch of time become. `mean`; `level`: the mean of the energy behind decibels; `angle`: the direction of the mean
 * vector; `sum`: what happened in it; `state`: told when it changes.
 */
export const READING_MANNERS = ['mean', 'level', 'angle', 'sum', 'state'] as const;
export type ReadingManner = (typeof READING_MANNERS)[number];

/** A quantity that is measured everywhere in the same unit, with what is physically possible on a street. */
export interface SensorQuantity {
  readonly unit: UnitCode;
  readonly manner: ReadingManner;
  /** What lies outside was not measured. */
  readonly low: number;
  readonly high: number;
  /** Two readings may differ by `step` at once, and by `perMinute` more for each minute between them. Absent: it may jump. */
  readonly change?: { readonly step: number; readonly perMinute: number };
  /** The same number for longer than this is no measurement any more, ms. Absent: it may rest. */
  readonly stuckAfterMs?: number;
  /** Numbers at which it may rest for any time: no rain, an empty road. */
  readonly rests?: readonly number[];
}

const HOUR_MS = 3_600_000;
const quantity = (
  unit: UnitCode,
  manner: ReadingManner,
  [low, high]: readonly [number, number],
  more: Pick<SensorQuantity, 'change' | 'stuckAfterMs' | 'rests'> = {},
): SensorQuantity => ({ unit, manner, low, high, ...more });

/**
 * The quantities that have a name of their own. Limits are wider than any record of the tropics and narrower than what a broken wire
 * gives; changes are those of air, water and cabinets, with room for sun, doors and passing lorries. A profile may narrow or widen each.
 */
export const SENSOR_QUANTITIES: Readonly<Record<string, SensorQuantity>> = {
  airTemperature: quantity('Cel', 'mean', [-20, 60], {
    change: { step: 1.5, perMinute: 2 },
    stuckAfterMs: 3 * HOUR_MS,
  }),
  airHumidity: quantity('%', 'mean', [0, 100], {
    change: { step: 6, perMinute: 6 },
    stuckAfterMs: 3 * HOUR_MS,
    rests: [100],
  }),
  airPressure: quantity('hPa', 'mean', [600, 1100], {
    change: { step: 1, perMinute: 1 },
    stuckAfterMs: 6 * HOUR_MS,
  }),
  pm25: quantity('ug/m3', 'mean', [0, 1000], {
    change: { step: 60, perMinute: 60 },
    stuckAfterMs: 3 * HOUR_MS,
    rests: [0],
  }),
  pm10: quantity('ug/m3', 'mean', [0, 2000], {
    change: { step: 120, perMinute: 120 },
    stuckAfterMs: 3 * HOUR_MS,
    rests: [0],
  }),
  nitrogenDioxide: quantity('ug/m3', 'mean', [0, 2000], { stuckAfterMs: 3 * HOUR_MS, rests: [0] }),
  ozone: quantity('ug/m3', 'mean', [0, 1000], { stuckAfterMs: 3 * HOUR_MS, rests: [0] }),
  carbonMonoxide: quantity('mg/m3', 'mean', [0, 150], { stuckAfterMs: 3 * HOUR_MS, rests: [0] }),
  soundLevel: quantity('dB[SPL]', 'level', [20, 140], { stuckAfterMs: HOUR_MS / 4 }),
  rainRate: quantity('mm/h', 'mean', [0, 500], { stuckAfterMs: HOUR_MS, rests: [0] }),
  rainfall: quantity('mm', 'sum', [0, 30]),
  waterLevel: quantity('m', 'mean', [-20, 60], { change: { step: 0.15, perMinute: 0.1 } }),
  cabinetTemperature: quantity('Cel', 'mean', [-20, 95], {
    change: { step: 2, perMinute: 4 },
    stuckAfterMs: 3 * HOUR_MS,
  }),
  doorOpen: quantity('1', 'state', [0, 1]),
  mainsVoltage: quantity('V', 'mean', [0, 500], { stuckAfterMs: HOUR_MS, rests: [0] }),
  mainsCurrent: quantity('A', 'mean', [0, 1000]),
  mainsFrequency: quantity('Hz', 'mean', [40, 70], { stuckAfterMs: HOUR_MS }),
  activePower: quantity('W', 'mean', [-1_000_000, 1_000_000]),
  energyUsed: quantity('kW.h', 'sum', [0, 1000]),
  batteryVoltage: quantity('V', 'mean', [0, 100], { change: { step: 2, perMinute: 5 } }),
  loopCount: quantity('1', 'sum', [0, 2000], { stuckAfterMs: HOUR_MS, rests: [0] }),
  loopOccupancy: quantity('%', 'mean', [0, 100], { stuckAfterMs: HOUR_MS, rests: [0] }),
  loopSpeed: quantity('km/h', 'mean', [0, 250], { stuckAfterMs: HOUR_MS, rests: [0] }),
  travelTime: quantity('s', 'mean', [0, 86_400], { stuckAfterMs: 6 * HOUR_MS }),
  illuminance: quantity('lx', 'mean', [0, 200_000], { stuckAfterMs: HOUR_MS, rests: [0] }),
  windSpeed: quantity('m/s', 'mean', [0, 90], { stuckAfterMs: 2 * HOUR_MS, rests: [0] }),
  windDirection: quantity('deg', 'angle', [0, 360]),
};

/**
 * Why a reading is not believed, or is not there. `unreachable`: nobody answered in time; `exception`: the device answered that it cannot;
 * `garbled`: the answer is none; `device`: the device marks its value as none; `range`, `rate`, `stuck`, `clock`: the value or its time
 * cannot be; `stale`: the same reading again; `gap`: readings that were due and did not come.
 */
export const READING_FAULTS = [
  'unreachable',
  'exception',
  'garbled',
  'device',
  'range',
  'rate',
  'stuck',
  'clock',
  'stale',
  'gap',
] as const;
export type ReadingFault = (typeof READING_FAULTS)[number];
