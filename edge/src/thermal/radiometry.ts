const ZERO_CELSIUS_K = 273.15;

/** Constants of a camera's calibration against blackbodies: `T = B / ln(R1 / (R2 (S + O)) + F)`, T in kelvin, S raw. */
export interface PlanckConstants {
  readonly r1: number;
  /** kelvin. */
  readonly b: number;
  readonly f: number;
  readonly o: number;
  readonly r2: number;
}

/** Coefficients of the humid atmosphere's transmission, as FLIR cameras carry them. */
export interface AtmosphereConstants {
  readonly alpha1: number;
  readonly alpha2: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly x: number;
}

/** What lies between the object and the sensor. Temperatures in °C. */
export interface MeasuringConditions {
  /** Emissivity of the object, above 0 to 1. */
  readonly emissivity: number;
  /** m. */
  readonly distanceM: number;
  readonly reflectedC: number;
  readonly atmosphereC: number;
  /** 0–1. */
  readonly relativeHumidity: number;
  /** Infrared window before the camera; transmission 1 is none. It stands half-way, as the cameras' own software assumes. */
  readonly windowC: number;
  readonly windowTransmission: number;
}

/**
 * The atmosphere of FLIR's cameras (values read from the SC660 and T1030sc samples, V), for mappings that state none. The
 * formula follows Minkina & Dudzik, Infrared Thermography: Errors and Uncertainties (2009), as given by the documentation
 * of the Thermimage package (S).
 */
export const FLIR_ATMOSPHERE: AtmosphereConstants = {
  alpha1: 0.006569,
  alpha2: 0.01262,
  beta1: -0.002276,
  beta2: -0.00667,
  x: 1.9,
};

/** Share of the radiation that passes `distanceM` of air, 0–1. `relativeHumidity` 0–1. */
export function computeTransmission(
  air: { readonly celsius: number; readonly relativeHumidity: number; readonly distanceM: number },
  { alpha1, alpha2, beta1, beta2, x }: AtmosphereConstants,
): number {
  const { celsius: t, relativeHumidity, distanceM } = air;
  const vapour =
    relativeHumidity * Math.exp(1.5587 + 0.06939 * t - 0.00027816 * t ** 2 + 0.00000068455 * t ** 3);
  const root = Math.sqrt(vapour);
  const path = Math.sqrt(distanceM);
  return x * Math.exp(-path * (alpha1 + beta1 * root)) + (1 - x) * Math.exp(-path * (alpha2 + beta2 * root));
}

/** Raw signal of a blackbody at `celsius`. */
export function computeSignal(celsius: number, { r1, b, f, o, r2 }: PlanckConstants): number {
  return r1 / (r2 * (Math.exp(b / (celsius + ZERO_CELSIUS_K)) - f)) - o;
}

/** Temperature of a blackbody of this raw signal, °C; NaN below the range of the calibration. */
export function computeTemperature(signal: number, { r1, b, f, o, r2 }: PlanckConstants): number {
  const kelvin = b / Math.log(r1 / (r2 * (signal + o)) + f);
  return kelvin > 0 && Number.isFinite(kelvin) ? kelvin - ZERO_CELSIUS_K : Number.NaN;
}

/** `S = gain · S_object + offset`: what emission, reflection, air and window make of the object's own signal. */
interface SignalPath {
  readonly gain: number;
  readonly offset: number;
}

function computeSignalPath(
  planck: PlanckConstants,
  conditions: MeasuringConditions,
  atmosphere: AtmosphereConstants,
): SignalPath {
  const { emissivity, windowTransmission: window } = conditions;
  // half of the way before the window and half behind it
  const half = computeTransmission(
    {
      celsius: conditions.atmosphereC,
      relativeHumidity: conditions.relativeHumidity,
      distanceM: conditions.distanceM / 2,
    },
    atmosphere,
  );
  const air = computeSignal(conditions.atmosphereC, planck);
  const reflected = computeSignal(conditions.reflectedC, planck);
  const pane = computeSignal(conditions.windowC, planck);
  return {
    gain: emissivity * half * window * half,
    offset:
      (1 - emissivity) * half * window * half * reflected +
      (1 - half) * window * half * air +
      (1 - window) * half * pane +
      (1 - half) * air,
  };
}

/** Temperature of the object for each raw value 0–65535, °C; NaN where the calibration gives none. Owned by the caller. */
export function buildTemperatureTable(
  planck: PlanckConstants,
  conditions: MeasuringConditions,
  atmosphere: AtmosphereConstants,
): Float32Array {
  const { gain, offset } = computeSignalPath(planck, conditions, atmosphere);
  const table = new Float32Array(65_536);
  for (let raw = 0; raw < table.length; raw++) table[raw] = computeTemperature((raw - offset) / gain, planck);
  return table;
}

/** Looks up every raw value. The result is a new buffer. */
export function mapToTemperatures(raw: Uint16Array, table: Float32Array): Float32Array {
  const celsius = new Float32Array(raw.length);
  for (let i = 0; i < raw.length; i++) celsius[i] = table[raw[i] ?? 0] ?? Number.NaN;
  return celsius;
}

/** A camera's band as `1 / (exp(B/T) − 1)` describes it; B in kelvin, about 1,450–1,500 for 7.5–14 µm. */
function bandOf(b: number): PlanckConstants {
  return { r1: 1, b, f: 1, o: 0, r2: 1 };
}

/** What lies between an object in the room and the camera, without a window. */
export type RoomConditions = Omit<MeasuringConditions, 'windowC' | 'windowTransmission'>;

function computeRoomPath(conditions: RoomConditions, planck: PlanckConstants): SignalPath {
  const open = { ...conditions, windowC: conditions.atmosphereC, windowTransmission: 1 };
  return computeSignalPath(planck, open, FLIR_ATMOSPHERE);
}

/** Temperature of an object whose apparent temperature (emissivity 1, no path) is `apparentC`, °C. */
export function correctApparent(apparentC: number, conditions: RoomConditions, b: number): number {
  const planck = bandOf(b);
  const { gain, offset } = computeRoomPath(conditions, planck);
  return computeTemperature((computeSignal(apparentC, planck) - offset) / gain, planck);
}

/** Apparent temperature of an object of `celsius`: the reverse of `correctApparent`, °C. */
export function computeApparent(celsius: number, conditions: RoomConditions, b: number): number {
  const planck = bandOf(b);
  const { gain, offset } = computeRoomPath(conditions, planck);
  return computeTemperature(computeSignal(celsius, planck) * gain + offset, planck);
}
