import type { RoadPartLabel, RoadUserLabel } from '@ngatu/contract';

/** What a detector of road users may find: road users, and lamps and plates beside them. */
export type JudgedLabel = RoadUserLabel | RoadPartLabel;

/** Names that data sets use for what a detector finds, in small letters with single spaces. */
const NAMES: Readonly<Record<JudgedLabel, readonly string[]>> = {
  person: ['person', 'pedestrian', 'people', 'human'],
  bicycle: ['bicycle', 'bike', 'cyclist'],
  motorbike: [
    ...[
      'motorbike',
      'motorcycle',
      'moto',
      'motor',
      'scooter',
      'motorbike with rider',
      'motorbike with riders',
    ],
    ...['2 wheeler', 'two wheeler', 'người trên xe', 'xe máy', 'xe may'],
  ],
  car: ['car', 'vehicle car', 'auto', 'taxi', 'xe hơi', 'ô tô', 'o to', 'oto'],
  bus: ['bus', 'coach', 'xe buýt', 'xe bus'],
  truck: ['truck', 'lorry', 'xe tải', 'xe tai'],
  'traffic-light': [
    'traffic light',
    'trafficlight',
    'traffic lights',
    'traffic signal',
    'traffic lamp',
    'đèn giao thông',
  ],
  plate: [
    ...[
      'plate',
      'license plate',
      'licence plate',
      'lisence plate',
      'number plate',
      'licenseplate',
      'numberplate',
    ],
    ...['vehicle registration plate', 'biển số', 'bien so'],
  ],
};

const LABELS = new Map(
  Object.entries(NAMES).flatMap(([label, names]) =>
    names.map((name) => [name.normalize('NFC'), label as JudgedLabel] as const),
  ),
);

/** The label that a data set's class name stands for; letters' case, `_` and `-` do not matter. */
export function toJudgedLabel(name: string): JudgedLabel | undefined {
  return LABELS.get(
    name
      .normalize('NFC')
      .trim()
      .toLowerCase()
      .replaceAll(/[\s_-]+/g, ' '),
  );
}
