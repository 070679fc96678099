import type { LocalizedText, ReadinessItemName } from '@ngatu/contract';
import type { Exposure } from './exposure.ts';
import type { ViewComparison } from './view-comparison.ts';

/** What one check says about one item. */
export interface Verdict {
  readonly item: ReadinessItemName;
  /** Undefined where there is nothing to judge by. */
  readonly isGood: boolean | undefined;
  readonly measures: Readonly<Record<string, number>>;
  readonly reason: LocalizedText;
}

/** A picture whose brightest twentieth is darker shows no road user safely, 0–255. */
const MIN_BRIGHT = 40;
const MAX_SATURATED_SHARE = 0.35;
/** Fog, a steamed or dirty pane, a covered lens: brightness that differs by less, 0–255. */
const MIN_CONTRAST = 18;
/** Sharpness as a share of the reference's below which plates and lamps are no longer what they were. */
const MIN_FOCUS_SHARE = 0.7;
/** Movement that carries a stop line away by more than the error of a ground contact, as a share of the picture's width. */
const MAX_MOVED_SHARE = 0.0085;
/** Share of the textured picture that may lose its detail, or show something else, before it counts as covered. */
const MAX_LOST_SHARE = 0.12;
const MAX_CHANGED_SHARE = 0.7;
/** … where the view is not recognised, so that what has moved cannot be told from what is covered. */
const MAX_LOST_SHARE_UNKNOWN = 0.5;
/** Below so many tiles or blocks with something to see a view cannot be recognised. */
const MIN_TILES = 5;
const MIN_BLOCKS = 20;
/**
 * The instant of a case is wrong by more than a reviewer can accept, ms. What decides (phase, crossing, speed) is measured on the
 * media time of the stream, which this error does not touch; sources beside the picture have their own bound.
 */
const MAX_CLOCK_ERROR_MS = 5_000;
/** Measuring devices are verified once a year. */
const MAX_CALIBRATION_AGE_DAYS = 365;
/** Marked points may miss by so many times their stated error. */
const MAX_RESIDUAL_RATIO = 3;

export function judgeExposure(exposure: Exposure): Verdict {
  const { bright, saturatedShare, contrast } = exposure;
  const measures = { bright, saturatedShare: round(saturatedShare, 3), contrast };
  const verdict = (isGood: boolean, vi: string, en: string): Verdict => ({
    item: 'exposure',
    isGood,
    measures,
    reason: { vi, en },
  });
  const percent = Math.round(100 * saturatedShare);
  if (bright < MIN_BRIGHT) return verdict(false, 'hình ảnh quá tối', 'the picture is too dark');
  if (saturatedShare > MAX_SATURATED_SHARE) {
    return verdict(
      false,
      `hình ảnh quá sáng: ${percent} % diện tích bị cháy sáng`,
      `the picture is over-exposed: ${percent} % of it is white`,
    );
  }
  if (contrast < MIN_CONTRAST)
    return verdict(false, 'hình ảnh gần như không có tương phản', 'the picture has hardly any contrast');
  return verdict(true, 'độ phơi sáng bình thường', 'exposure is in order');
}

export function judgeFocus(sharpness: number | undefined, reference: number | undefined): Verdict {
  if (sharpness === undefined || reference === undefined)
    return nothing('focus', 'chưa có ảnh chuẩn để so độ nét', 'there is no reference to compare focus with');
  const share = sharpness / reference;
  const percent = Math.round(100 * share);
  const isGood = share >= MIN_FOCUS_SHARE;
  return {
    item: 'focus',
    isGood,
    measures: { sharpnessShare: round(share, 2) },
    reason: isGood
      ? { vi: 'hình ảnh nét', en: 'the picture is in focus' }
      : {
          vi: `hình ảnh mờ: độ nét còn ${percent} % so với ảnh chuẩn`,
          en: `the picture is out of focus: ${percent} % of the reference's sharpness`,
        },
  };
}

/** @param sourceWidth width of the source picture, px; movements are told in its pixels */
export function judgeView(
  { movedPx, rotationDeg, tiles, found }: ViewComparison,
  { smallWidth, sourceWidth }: { smallWidth: number; sourceWidth: number },
): Verdict {
  if (tiles < MIN_TILES)
    return nothing(
      'view',
      'hình ảnh quá ít chi tiết để nhận ra góc nhìn',
      'too little detail to recognise the view',
    );
  const counts = { tiles, tilesFound: found };
  if (movedPx === undefined) {
    return {
      ...nothing('view', 'không nhận ra góc nhìn so với ảnh chuẩn', 'the view cannot be recognised'),
      measures: counts,
    };
  }
  const moved = (movedPx * sourceWidth) / smallWidth;
  const isGood = moved <= MAX_MOVED_SHARE * sourceWidth;
  const rotation = round(rotationDeg ?? 0, 2);
  return {
    item: 'view',
    isGood,
    measures: { movedPx: round(moved, 1), rotationDeg: rotation, ...counts },
    reason: isGood
      ? { vi: 'góc nhìn như ảnh chuẩn', en: 'the view is that of the reference' }
      : {
          vi: `camera bị dịch chuyển ${moved.toFixed(0)} px (xoay ${comma(rotation)}°) so với ảnh chuẩn`,
          en: `the camera moved ${moved.toFixed(0)} px (turned ${rotation}°) against the reference`,
        },
  };
}

/** @param view what was said of the same comparison: in a view that has moved nothing can be said of covers */
export function judgeObstruction(
  { blocks, lostShare, changedShare, movedPx }: ViewComparison,
  view: Verdict,
): Verdict {
  if (view.isGood === false)
    return nothing('obstruction', 'camera bị dịch chuyển', 'the camera moved; covers cannot be told');
  if (blocks < MIN_BLOCKS)
    return nothing(
      'obstruction',
      'hình ảnh quá ít chi tiết để tìm vật che',
      'too little detail to look for a cover',
    );
  const isKnown = movedPx !== undefined;
  const isGood = isKnown
    ? lostShare <= MAX_LOST_SHARE && changedShare <= MAX_CHANGED_SHARE
    : lostShare <= MAX_LOST_SHARE_UNKNOWN;
  const percent = Math.round(100 * Math.max(lostShare, changedShare > MAX_CHANGED_SHARE ? changedShare : 0));
  return {
    item: 'obstruction',
    isGood,
    measures: { lostShare: round(lostShare, 2), changedShare: round(changedShare, 2) },
    reason: isGood
      ? { vi: 'không có vật che', en: 'nothing covers the view' }
      : {
          vi: `khoảng ${percent} % khung cảnh bị che khuất`,
          en: `about ${percent} % of the scene is covered`,
        },
  };
}

export function judgeClock(clockErrorMs: number): Verdict {
  const isGood = clockErrorMs <= MAX_CLOCK_ERROR_MS;
  const ms = Math.round(clockErrorMs);
  return {
    item: 'clock',
    isGood,
    measures: { clockErrorMs: ms },
    reason: isGood
      ? { vi: 'đồng hồ đúng', en: 'the clock is in order' }
      : {
          vi: `sai số đồng hồ có thể tới ${ms} ms, cho phép ${MAX_CLOCK_ERROR_MS} ms`,
          en: `the clock may be wrong by ${ms} ms, allowed are ${MAX_CLOCK_ERROR_MS} ms`,
        },
  };
}

/** What is known of the calibration; `refused` is the reason of one that cannot be used. */
export interface CalibrationFacts {
  readonly residualPx: number;
  readonly statedErrorPx: number;
  readonly calibratedAtMs?: number;
  readonly refused?: string;
}

export function judgeCalibration(facts: CalibrationFacts | undefined, nowMs: number): Verdict {
  if (facts === undefined)
    return nothing('calibration', 'camera chưa hiệu chuẩn', 'the camera is not calibrated');
  const { residualPx, statedErrorPx, calibratedAtMs, refused } = facts;
  const ageDays = calibratedAtMs === undefined ? undefined : (nowMs - calibratedAtMs) / 86_400_000;
  const measures = {
    residualPx: round(residualPx, 2),
    ...(ageDays === undefined ? {} : { ageDays: Math.floor(ageDays) }),
  };
  const bad = (vi: string, en: string): Verdict => ({
    item: 'calibration',
    isGood: false,
    measures: refused === undefined ? measures : {},
    reason: { vi, en },
  });
  if (refused !== undefined)
    return bad('hiệu chuẩn không dùng được', `the calibration cannot be used: ${refused}`);
  if (ageDays !== undefined && ageDays > MAX_CALIBRATION_AGE_DAYS) {
    const days = Math.floor(ageDays);
    return bad(
      `hiệu chuẩn đã ${days} ngày, quá hạn một năm`,
      `the calibration is ${days} days old, allowed is one year`,
    );
  }
  if (residualPx > MAX_RESIDUAL_RATIO * statedErrorPx) {
    const miss = residualPx.toFixed(1);
    return bad(`hiệu chuẩn lệch ${miss} px`, `the calibration misses its own points by ${miss} px`);
  }
  return {
    item: 'calibration',
    isGood: true,
    measures,
    reason: { vi: 'hiệu chuẩn còn hiệu lực', en: 'the calibration is in order' },
  };
}

/** How the sources of a signal stand to each other. */
export interface SignalSync {
  readonly signal: string;
  readonly outcome: 'agrees' | 'single' | 'disagrees' | 'silent';
  readonly offsetMs?: number;
}

export function judgeSignals(signals: readonly SignalSync[]): Verdict {
  const wrong = signals.filter(({ outcome }) => outcome === 'disagrees' || outcome === 'silent');
  const names = wrong.map(({ signal }) => signal).join(', ');
  const offsets = signals.flatMap(({ offsetMs }) => (offsetMs === undefined ? [] : [Math.abs(offsetMs)]));
  const measures = offsets.length === 0 ? {} : { offsetMs: Math.round(Math.max(...offsets)) };
  if (wrong.length > 0) {
    const reason = {
      vi: `tín hiệu đèn không đọc được hoặc mâu thuẫn giữa các nguồn: ${names}`,
      en: `signal cannot be read, or its sources contradict each other: ${names}`,
    };
    return { item: 'signal-sync', isGood: false, measures, reason };
  }
  if (signals.length === 0) return nothing('signal-sync', 'không có đèn tín hiệu', 'there is no signal');
  return {
    item: 'signal-sync',
    isGood: true,
    measures,
    reason: { vi: 'tín hiệu đèn nhất quán', en: 'the signal is in order' },
  };
}

function nothing(item: ReadinessItemName, vi: string, en: string): Verdict {
  return { item, isGood: undefined, measures: {}, reason: { vi, en } };
}

function comma(value: number): string {
  return String(value).replace('.', ',');
}

function round(value: number, digits: number): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}
