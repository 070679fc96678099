import type { LocalizedText, RoadUserLabel } from '@ngatu/contract';

const NAMES: Readonly<Record<RoadUserLabel, LocalizedText>> = {
  person: { vi: 'Người đi bộ', en: 'Person' },
  bicycle: { vi: 'Xe đạp', en: 'Bicycle' },
  motorbike: { vi: 'Xe máy', en: 'Motorbike' },
  car: { vi: 'Ô tô', en: 'Car' },
  bus: { vi: 'Xe buýt', en: 'Bus' },
  truck: { vi: 'Xe tải', en: 'Truck' },
};

export function nameOf(label: RoadUserLabel): LocalizedText {
  return NAMES[label];
}

/** Seconds with one decimal in both languages: Vietnamese writes a decimal comma. */
export function formatSeconds(durationMs: number): LocalizedText {
  const en = (durationMs / 1000).toFixed(1);
  return { vi: en.replace('.', ','), en };
}
