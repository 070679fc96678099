import type { LocalizedText } from './id.ts';
import type { Measurement } from './telemetry.ts';

/** What the node compares that no single sensor can tell: metric `crossCheck` with tags `check`, `finding`, `sensor`, `camera`. */
export const CROSS_CHECKS = ['loop-count', 'rain-picture', 'cabinet-heat'] as const;
export type CrossCheckName = (typeof CROSS_CHECKS)[number];

type Explain = (value: number, sensor: string, camera: string) => LocalizedText;

const percent = (value: number): string => `${Math.round(value * 100)} %`;

/**
 * Every finding with its words. `value` of `loop-count`: vehicles of the camera for each of the loop; of `rain-picture`: rain, mm/h; of
 * `cabinet-heat`: share of the frames that were dropped while it was hot.
 */
const EXPLANATIONS: Readonly<Record<string, Explain>> = {
  'loop-count agree': (value, sensor, camera) => ({
    vi: `Vòng từ ${sensor} và camera ${camera} đếm như nhau (tỉ lệ ${value.toFixed(2)}).`,
    en: `Loop ${sensor} and camera ${camera} count the same (ratio ${value.toFixed(2)}).`,
  }),
  'loop-count camera-low': (value, sensor, camera) => ({
    vi: `Camera ${camera} chỉ đếm được ${percent(value)} số xe của vòng từ ${sensor}: kiểm tra tầm nhìn và vạch đếm, hoặc vòng từ đếm lặp.`,
    en: `Camera ${camera} counts only ${percent(value)} of the vehicles of loop ${sensor}: look at its view and its line, or the loop counts twice.`,
  }),
  'loop-count loop-low': (value, sensor, camera) => ({
    vi: `Camera ${camera} đếm ${percent(value)} số xe của vòng từ ${sensor}: vòng từ bỏ sót (xe máy, đứt dây), hoặc camera đếm lặp.`,
    en: `Camera ${camera} counts ${percent(value)} of the vehicles of loop ${sensor}: the loop misses some (motorbikes, a broken wire), or the camera counts twice.`,
  }),
  'rain-picture rain': (value, sensor, camera) => ({
    vi: `Hình của ${camera} kém vì trời mưa (${value.toFixed(1)} mm/h theo ${sensor}); sẽ hết khi tạnh.`,
    en: `The picture of ${camera} is poor because it rains (${value.toFixed(1)} mm/h at ${sensor}); it will pass with the rain.`,
  }),
  'rain-picture not-rain': (_, sensor, camera) => ({
    vi: `Hình của ${camera} kém mà ${sensor} báo không mưa: lau ống kính, kiểm tra nét và vật che.`,
    en: `The picture of ${camera} is poor and ${sensor} tells of no rain: clean the lens, look at focus and at what stands in the way.`,
  }),
  'rain-picture fine': (_, sensor, camera) => ({
    vi: `Hình của ${camera} tốt, bất kể mưa hay không theo ${sensor}.`,
    en: `The picture of ${camera} is good, whatever ${sensor} tells of rain.`,
  }),
  'cabinet-heat heat': (value, sensor, camera) => ({
    vi: `Khi tủ ${sensor} nóng, ${camera} bỏ ${percent(value)} khung hình, nhiều hơn hẳn lúc mát: kiểm tra quạt và lọc bụi.`,
    en: `While cabinet ${sensor} is hot, ${camera} drops ${percent(value)} of its frames, far more than while it is cool: look at fan and filter.`,
  }),
  'cabinet-heat no-heat': (value, sensor, camera) => ({
    vi: `Khung hình bị bỏ của ${camera} (${percent(value)} khi nóng) không theo nhiệt độ tủ ${sensor}.`,
    en: `The dropped frames of ${camera} (${percent(value)} while hot) do not follow the heat of cabinet ${sensor}.`,
  }),
};

/** Findings of each check, in the order of the table above. */
export type CrossCheckFinding =
  | 'agree'
  | 'camera-low'
  | 'loop-low'
  | 'rain'
  | 'not-rain'
  | 'fine'
  | 'heat'
  | 'no-heat';

/** The words for a measurement `crossCheck`; undefined for any other. */
export function explainCrossCheck({ metric, value, tags }: Measurement): LocalizedText | undefined {
  if (metric !== 'crossCheck' || tags === undefined) return undefined;
  const key = `${tags['check']} ${tags['finding']}`;
  const explain = Object.hasOwn(EXPLANATIONS, key) ? EXPLANATIONS[key] : undefined;
  return explain?.(value, tags['sensor'] ?? '', tags['camera'] ?? '');
}
