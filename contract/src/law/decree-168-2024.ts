import type { EventKind } from '../event.ts';
import type { LocalizedText } from '../id.ts';
import type { LawRow, LawVariant, VehicleGroup } from './law-row.ts';

const DECREE = '168/2024/NĐ-CP';
/** First day of Decree 168/2024, and of the amendment by Decree 238/2026. */
export const DECREE_168_FROM = '2025-01-01';
export const DECREE_238_FROM = '2026-08-15';

const TEXT_2025: LocalizedText = {
  vi: 'Nghị định 168/2024/NĐ-CP, bản công bố tháng 1/2025',
  en: 'Nghị định 168/2024/NĐ-CP, text as published in January 2025',
};
const UNCHANGED: LocalizedText = {
  vi: 'Nghị định 238/2026/NĐ-CP: một nguồn thứ cấp về nghị định sửa đổi ghi là không đổi',
  en: 'Nghị định 238/2026/NĐ-CP: listed as unchanged by a secondary source on the amended decree',
};
const UNCHECKED: LocalizedText = {
  vi: 'Nghị định 168/2024/NĐ-CP, bản tháng 1/2025; chưa đối chiếu với Nghị định sửa đổi 238/2026/NĐ-CP',
  en: 'Nghị định 168/2024/NĐ-CP, text of January 2025; not checked against the amendment by Nghị định 238/2026/NĐ-CP',
};

/** One clause as the text of January 2025 has it; fines in thousand VND. */
interface Clause {
  readonly clause: string;
  readonly fine: readonly [minThousandVnd: number, maxThousandVnd: number];
  /** Absent where it is not recorded. */
  readonly points?: number;
  readonly variant?: LawVariant;
  readonly overKmh?: NonNullable<LawRow['overKmh']>;
  /** A secondary source lists it as unchanged by Decree 238/2026. */
  readonly unchanged?: true;
}

interface Offence {
  readonly kind: EventKind;
  readonly title: LocalizedText;
  readonly car: readonly Clause[];
  readonly motorbike: readonly Clause[];
}

const between = (
  from: number,
  to: number,
  ends: { from: boolean; to: boolean },
): NonNullable<LawRow['overKmh']> => ({
  from,
  fromInclusive: ends.from,
  to,
  toInclusive: ends.to,
});
const above = (from: number): NonNullable<LawRow['overKmh']> => ({ from, fromInclusive: false });
const OVER_5 = between(5, 10, { from: true, to: false });
const OVER_10 = between(10, 20, { from: true, to: true });
const OVER_20_TO_35 = between(20, 35, { from: false, to: true });

const OFFENCES: readonly Offence[] = [
  {
    kind: 'RED_LIGHT',
    title: {
      vi: 'Không chấp hành hiệu lệnh của đèn tín hiệu giao thông',
      en: 'Does not obey a traffic light',
    },
    car: [{ clause: '9.b', fine: [18_000, 20_000], points: 4, unchanged: true }],
    motorbike: [{ clause: '7.c', fine: [4_000, 6_000], points: 4, unchanged: true }],
  },
  {
    kind: 'STOP_LINE',
    title: { vi: 'Không chấp hành vạch kẻ đường', en: 'Does not obey a road marking' },
    car: [{ clause: '1.a', fine: [400, 600], points: 0, unchanged: true }],
    motorbike: [{ clause: '1.a', fine: [200, 400], points: 0 }],
  },
  {
    kind: 'WRONG_WAY',
    title: { vi: 'Đi ngược chiều', en: 'Drives against the direction of traffic' },
    car: [
      { clause: '9.d', fine: [18_000, 20_000], points: 4, unchanged: true },
      { clause: '11.đ', fine: [30_000, 40_000], points: 10, variant: 'expressway' },
    ],
    motorbike: [{ clause: '7.a', fine: [4_000, 6_000], points: 2, unchanged: true }],
  },
  {
    kind: 'LANE',
    title: { vi: 'Đi không đúng làn đường, phần đường', en: 'Drives in the wrong lane or part of the road' },
    car: [{ clause: '5.b', fine: [4_000, 6_000], points: 2 }],
    motorbike: [{ clause: '3.d', fine: [600, 800], points: 0 }],
  },
  {
    kind: 'SPEED',
    title: { vi: 'Chạy quá tốc độ quy định', en: 'Drives faster than the limit' },
    car: [
      { clause: '3.a', fine: [800, 1_000], points: 0, overKmh: OVER_5 },
      { clause: '5.đ', fine: [4_000, 6_000], points: 2, overKmh: OVER_10 },
      { clause: '6.a', fine: [6_000, 8_000], points: 4, overKmh: OVER_20_TO_35 },
      { clause: '7.a', fine: [12_000, 14_000], points: 6, overKmh: above(35) },
    ],
    motorbike: [
      { clause: '2.b', fine: [400, 600], points: 0, overKmh: OVER_5, unchanged: true },
      { clause: '4.a', fine: [800, 1_000], points: 0, overKmh: OVER_10 },
      { clause: '8.a', fine: [6_000, 8_000], points: 4, overKmh: above(20), unchanged: true },
    ],
  },
  {
    kind: 'STOP_PARK',
    title: { vi: 'Dừng xe, đỗ xe sai quy định', en: 'Stops or parks where or how it is forbidden' },
    car: [
      { clause: '2.d', fine: [600, 800], unchanged: true },
      { clause: '3.đ', fine: [800, 1_000] },
      { clause: '3.e', fine: [800, 1_000] },
      { clause: '4.b', fine: [2_000, 3_000], points: 2 },
      { clause: '5.k', fine: [4_000, 6_000], points: 2, variant: 'jam' },
    ],
    motorbike: [
      { clause: '2.a', fine: [400, 600] },
      { clause: '2.d', fine: [400, 600], unchanged: true },
      { clause: '2.e', fine: [400, 600], unchanged: true },
      { clause: '3.c', fine: [600, 800], variant: 'bridge' },
    ],
  },
  {
    kind: 'NO_HELMET',
    title: { vi: 'Không đội mũ bảo hiểm', en: 'Rides without a helmet' },
    car: [],
    motorbike: [
      { clause: '2.h', fine: [400, 600], points: 0, variant: 'rider' },
      { clause: '2.i', fine: [400, 600], points: 0, variant: 'passenger', unchanged: true },
    ],
  },
];

const ARTICLES: Readonly<Record<VehicleGroup, number>> = { car: 6, motorbike: 7 };

/** Each clause twice: as published for the time before the amendment, and as far as it is known since. */
function expand(offence: Offence, group: VehicleGroup, clause: Clause): LawRow[] {
  const { fine, unchanged, ...rest } = clause;
  const row = {
    kind: offence.kind,
    group,
    decree: DECREE,
    article: ARTICLES[group],
    ...rest,
    title: offence.title,
    fineMinVnd: fine[0] * 1_000,
    fineMaxVnd: fine[1] * 1_000,
  };
  return [
    { ...row, validFrom: DECREE_168_FROM, validUntil: DECREE_238_FROM, source: TEXT_2025, certainty: 'V' },
    unchanged
      ? { ...row, validFrom: DECREE_238_FROM, source: UNCHANGED, certainty: 'S' }
      : { ...row, validFrom: DECREE_238_FROM, source: UNCHECKED, certainty: 'U' },
  ];
}

/** All that is recorded of the decree, in the order of its offences. */
export const LAW_ROWS: readonly LawRow[] = OFFENCES.flatMap((offence) =>
  (['car', 'motorbike'] as const).flatMap((group) =>
    offence[group].flatMap((clause) => expand(offence, group, clause)),
  ),
);
