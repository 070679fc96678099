import { type Language, translate } from './dictionary.ts';

/** The cases are Vietnam's: every time is shown in its zone, wherever the reader sits. */
const TIME_ZONE = 'Asia/Ho_Chi_Minh';
const LOCALE: Readonly<Record<Language, string>> = { vi: 'vi-VN', en: 'en-GB' };

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(
  language: Language,
  name: string,
  options: Intl.DateTimeFormatOptions,
): Intl.DateTimeFormat {
  const key = `${language} ${name}`;
  const known = formats.get(key);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat(LOCALE[language], {
    timeZone: TIME_ZONE,
    hourCycle: 'h23',
    ...options,
  });
  formats.set(key, format);
  return format;
}

/** `14:03:27` */
export function formatTime(instant: string | number, language: Language): string {
  return formatOf(language, 'time', { hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(
    new Date(instant),
  );
}

/** `14:03:27.480`, for what is decided frame by frame. */
export function formatPreciseTime(instant: string, language: Language): string {
  const milliseconds = String(new Date(instant).getUTCMilliseconds()).padStart(3, '0');
  return `${formatTime(instant, language)}.${milliseconds}`;
}

/** `22/11/2025` */
export function formatDate(instant: string | number, language: Language): string {
  return formatOf(language, 'date', { day: '2-digit', month: '2-digit', year: 'numeric' }).format(
    new Date(instant),
  );
}

/** `14:03:27 22/11/2025` */
export function formatDateTime(instant: string | number, language: Language): string {
  return `${formatTime(instant, language)} ${formatDate(instant, language)}`;
}

/** A length of time in the two units that matter. */
export function formatDuration(durationMs: number, language: Language): string {
  if (durationMs > 0 && durationMs < 1_000)
    return translate(language, 'duration.ms', { ms: Math.round(durationMs) });
  const seconds = durationMs / 1_000;
  if (seconds < 60) {
    return translate(language, 'duration.seconds', {
      seconds: formatNumber(seconds, language, seconds < 10 ? 1 : 0),
    });
  }
  const whole = Math.round(seconds);
  if (whole < 3_600) {
    return translate(language, 'duration.minutes', { minutes: Math.floor(whole / 60), seconds: whole % 60 });
  }
  const minutes = Math.round(whole / 60);
  return translate(language, 'duration.hours', { hours: Math.floor(minutes / 60), minutes: minutes % 60 });
}

export function formatNumber(value: number, language: Language, maximumFractionDigits: number): string {
  return new Intl.NumberFormat(LOCALE[language], { maximumFractionDigits }).format(value);
}

/** `93%`. A share that is neither nothing nor all is never rounded to 0% or 100%. */
export function formatShare(share: number, language: Language): string {
  const isPartial = share > 0 && share < 1;
  if (isPartial && share < 0.001) return '<0.1%'.replace('.', language === 'vi' ? ',' : '.');
  const percent = Math.floor(share * 1_000) / 10;
  return `${formatNumber(percent, language, 1)}%`;
}

export function formatBytes(sizeBytes: number, language: Language): string {
  if (sizeBytes < 1_024) return `${sizeBytes} B`;
  if (sizeBytes < 1_024 ** 2) return `${formatNumber(sizeBytes / 1_024, language, 0)} KiB`;
  return `${formatNumber(sizeBytes / 1_024 ** 2, language, 1)} MiB`;
}

/** `0:05.240` of a clip. */
export function formatMediaTime(timeMs: number): string {
  const minutes = Math.floor(timeMs / 60_000);
  return `${minutes}:${((timeMs % 60_000) / 1_000).toFixed(3).padStart(6, '0')}`;
}

const UNITS: readonly (readonly [suffix: string, unit: string])[] = [
  ['Ms', 'ms'],
  ['Px', 'px'],
  ['Kmh', 'km/h'],
  ['Fraction', ''],
  ['Deg', '°'],
  ['Metres', 'm'],
];

/** A measure's name as words and its value with the unit that its name ends with (`insideMs` → `inside`, `1,240 ms`). */
export function formatMeasure(
  name: string,
  value: number,
  language: Language,
): { name: string; value: string } {
  const [suffix, unit] = UNITS.find(([ending]) => name.endsWith(ending)) ?? ['', ''];
  const stem = suffix === 'Fraction' ? name : name.slice(0, name.length - suffix.length);
  const words = stem.replace(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase();
  return { name: words, value: `${formatNumber(value, language, 3)} ${unit}`.trim() };
}
