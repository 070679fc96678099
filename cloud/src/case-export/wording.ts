import type { Event, EventKind, EvidenceRole, LawRow, RoadUserLabel, SignalState } from '@ngatu/contract';
import type { ExportFileState } from '@ngatu/trust';

/** Words of the sheets, Vietnamese: these are papers of a Vietnamese authority. */

export const KIND_WORDS: Readonly<Record<EventKind, string>> = {
  RED_LIGHT: 'Vượt đèn đỏ',
  STOP_LINE: 'Đè vạch dừng',
  WRONG_WAY: 'Đi ngược chiều',
  LANE: 'Đi sai làn đường',
  SOLID_LINE: 'Đè vạch liền',
  FORBIDDEN_TURN: 'Rẽ hoặc quay đầu nơi cấm',
  SPEED: 'Quá tốc độ',
  STOP_PARK: 'Dừng, đỗ sai quy định',
  OVERLOADED: 'Xe máy chở quá người',
  FORBIDDEN_AREA: 'Vào khu vực cấm',
  ZEBRA_YIELD: 'Không nhường người đi bộ',
  BLOCKED_JUNCTION: 'Dừng giữa giao lộ',
  NO_HELMET: 'Không đội mũ bảo hiểm',
  NO_MASK: 'Không đeo khẩu trang',
};

export const LABEL_WORDS: Readonly<Record<RoadUserLabel, string>> = {
  person: 'Người đi bộ',
  bicycle: 'Xe đạp',
  motorbike: 'Xe máy',
  car: 'Ô tô',
  bus: 'Xe buýt',
  truck: 'Xe tải',
};

export const SIGNAL_WORDS: Readonly<Record<SignalState, string>> = {
  red: 'đỏ',
  amber: 'vàng',
  green: 'xanh',
  off: 'tắt',
  unknown: 'không rõ',
};

export const ROLE_WORDS: Readonly<Record<EvidenceRole, string>> = {
  'still-before': 'Ảnh trước vi phạm',
  'still-at': 'Ảnh lúc vi phạm',
  'still-after': 'Ảnh sau vi phạm',
  'subject-crop': 'Ảnh đối tượng',
  'plate-crop': 'Ảnh biển số',
  'plate-frame': 'Ảnh dùng để đọc biển số',
  preview: 'Clip xem trước',
  clip: 'Clip gốc của camera',
};

export const FILE_STATE_WORDS: Readonly<Record<ExportFileState, string>> = {
  included: 'có trong bản xuất',
  'on-node': 'còn ở nút, chưa về trung tâm; mã SHA-256 đã niêm phong',
  withheld: 'không kèm theo; mã SHA-256 đã niêm phong',
  erased: 'đã xóa theo thời hạn lưu giữ; mã SHA-256 đã niêm phong',
};

const VARIANT_WORDS: Readonly<Record<NonNullable<LawRow['variant']>, string>> = {
  expressway: 'nếu trên đường cao tốc',
  bridge: 'nếu trên cầu',
  jam: 'nếu gây ùn tắc',
  rider: 'người lái',
  passenger: 'người ngồi sau',
};

const CERTAINTY_WORDS: Readonly<Record<LawRow['certainty'], string>> = {
  V: 'Đã đọc tại văn bản gốc',
  S: 'CHƯA KIỂM CHỨNG – chỉ theo nguồn thứ cấp',
  U: 'CHƯA KIỂM CHỨNG cho ngày vi phạm',
};

const MEASURE_WORDS: Readonly<Record<string, string>> = {
  redBeforeCrossingMs: 'Đèn đã đỏ trước khi qua vạch',
  crossedAtMediaMs: 'Thời điểm qua vạch trong luồng hình',
  speedKmh: 'Tốc độ',
  speedLowKmh: 'Tốc độ, cận dưới',
  speedHighKmh: 'Tốc độ, cận trên',
  limitKmh: 'Giới hạn tốc độ',
  rearBeyondLinePx: 'Đuôi xe đã qua vạch',
  rearErrorPx: 'Sai số vị trí đuôi xe',
  frontBeyondLinePx: 'Đầu xe đã qua vạch',
  frontErrorPx: 'Sai số vị trí đầu xe',
  occupants: 'Số người trên xe',
  dwellMs: 'Thời gian dừng',
};

const UNITS: readonly (readonly [suffix: string, unit: string])[] = [
  ['Kmh', 'km/h'],
  ['Mps', 'm/s'],
  ['Deg', '°'],
  ['Px', 'px'],
  ['Metres', 'm'],
  ['Ms', 'ms'],
];

const VIETNAM = { timeZone: 'Asia/Ho_Chi_Minh' } as const;

/** `22/11/2025 10:00:01,000` in Vietnam (UTC+7). */
export function formatInstant(at: string): string {
  const day = new Intl.DateTimeFormat('vi-VN', {
    ...VIETNAM,
    day: '2-digit',
    month: '2-digit',
    year: 'numeric',
  });
  const time = new Intl.DateTimeFormat('vi-VN', {
    ...VIETNAM,
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 3,
    hourCycle: 'h23',
  });
  return `${day.format(new Date(at))} ${time.format(new Date(at))}`;
}

/** `22/11/2025` in Vietnam. */
export function formatInstantDay(at: string): string {
  return formatInstant(at).slice(0, 10);
}

/** `01/01/2025` of a day as the law writes it, `2025-01-01`. */
function formatDay(day: string): string {
  return day.split('-').reverse().join('/');
}

export function formatNumber(value: number, digits = 2): string {
  return new Intl.NumberFormat('vi-VN', { maximumFractionDigits: digits }).format(value);
}

export function formatBytes(sizeBytes: number): string {
  if (sizeBytes < 1_024) return `${sizeBytes} B`;
  if (sizeBytes < 1_024 ** 2) return `${formatNumber(sizeBytes / 1_024, 0)} KiB`;
  return `${formatNumber(sizeBytes / 1_024 ** 2, 1)} MiB`;
}

export interface WordedMeasure {
  readonly words: string;
  readonly value: string;
}

/** The figures that the rule decided on; a name without words is shown as it is, for nothing must be hidden. */
export function describeMeasures(measures: Event['measures']): WordedMeasure[] {
  return Object.entries(measures).map(([name, value]) => {
    if (name.endsWith('Ms') && Math.abs(value) >= 1_000)
      return { words: MEASURE_WORDS[name] ?? name, value: `${formatNumber(value / 1_000, 3)} giây` };
    const [, unit = ''] = UNITS.find(([suffix]) => name.endsWith(suffix)) ?? [];
    return {
      words: MEASURE_WORDS[name] ?? name,
      value: `${formatNumber(value)}${unit === '°' ? '' : ' '}${unit}`.trim(),
    };
  });
}

export interface WordedClause {
  readonly title: string;
  readonly clause: string;
  readonly fine: string;
  readonly points: string;
  readonly validity: string;
  readonly certainty: string;
  readonly isVerified: boolean;
  readonly source: string;
}

export function describeClause(row: LawRow): WordedClause {
  const [paragraph = '', point = ''] = row.clause.split('.');
  const variant = row.variant === undefined ? '' : ` (${VARIANT_WORDS[row.variant]})`;
  const from = `từ ${formatDay(row.validFrom)}`;
  const read = row.verifiedOn === undefined ? '' : `, ngày đọc ${formatDay(row.verifiedOn)}`;
  return {
    title: row.title.vi + variant,
    clause: `Điều ${row.article} khoản ${paragraph} điểm ${point}, Nghị định ${row.decree}`,
    fine: `${formatNumber(row.fineMinVnd, 0)} – ${formatNumber(row.fineMaxVnd, 0)} đồng`,
    points: describePoints(row.points),
    validity: row.validUntil === undefined ? from : `${from} đến trước ${formatDay(row.validUntil)}`,
    certainty: CERTAINTY_WORDS[row.certainty] + read,
    isVerified: row.certainty === 'V',
    source: row.source.vi,
  };
}

function describePoints(points: number | undefined): string {
  if (points === undefined) return 'điểm trừ: chưa ghi nhận';
  return points === 0 ? 'không trừ điểm' : `trừ ${points} điểm giấy phép lái xe`;
}
