/*
 * Radiance of a blackbody in the band of an uncooled sensor, 8–14 µm, as Planck's law integrates: the simulator does not use
 * the closed formula by which the product corrects, so that an error of that formula shows.
 */
const BAND_UM = { from: 8, to: 14, step: 0.1 };
/** First and second radiation constant, W·µm⁴/(m²·sr) and µm·K (CODATA 2018). */
const C1 = 1.191042972e8;
const C2 = 14_387.76877;
const ZERO_CELSIUS_K = 273.15;
const TABLE = { fromC: -40, toC: 160, stepC: 0.05 };

function integrate(celsius: number): number {
  const kelvin = celsius + ZERO_CELSIUS_K;
  let sum = 0;
  for (let um = BAND_UM.from; um <= BAND_UM.to + 1e-9; um += BAND_UM.step)
    sum += C1 / (um ** 5 * (Math.exp(C2 / (um * kelvin)) - 1));
  return sum * BAND_UM.step;
}

const radiances = Float64Array.from(
  { length: Math.round((TABLE.toC - TABLE.fromC) / TABLE.stepC) + 1 },
  (_, index) => integrate(TABLE.fromC + index * TABLE.stepC),
);

/** W/(m²·sr), linear between the table's temperatures. */
export function computeBandRadiance(celsius: number): number {
  const place = (celsius - TABLE.fromC) / TABLE.stepC;
  const low = Math.min(radiances.length - 2, Math.max(0, Math.floor(place)));
  const a = radiances[low] ?? 0;
  const b = radiances[low + 1] ?? 0;
  return a + (b - a) * (place - low);
}

/** Temperature of the blackbody of this radiance, °C. */
export function computeBandTemperature(radiance: number): number {
  let low = 0;
  let high = radiances.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((radiances[middle] ?? 0) <= radiance) low = middle;
    else high = middle;
  }
  const a = radiances[low] ?? 0;
  const b = radiances[high] ?? 0;
  return TABLE.fromC + TABLE.stepC * (low + (b > a ? (radiance - a) / (b - a) : 0));
}
