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

/** `14:03`, with the day before it where the span is longer than one: `22/11 14:03`. */
export function formatShortTime(instantMs: number, language: Language, withDay: boolean): string {
  const time = formatOf(language, 'short', { hour: '2-digit', minute: '2-digit' }).format(
    new Date(instantMs),
  );
  if (!withDay) return time;
  const day = formatOf(language, 'day', { day: '2-digit', month: '2-digit' }).format(new Date(instantMs));
  return `${day} ${time}`;
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

/** `4–6 triệu đồng`, `400.000–600.000 đồng`. */
export function formatFine(
  { fineMinVnd, fineMaxVnd }: { fineMinVnd: number; fineMaxVnd: number },
  language: Language,
): string {
  const isMillions = fineMinVnd >= 1_000_000;
  const show = (amount: number) => formatNumber(isMillions ? amount / 1_000_000 : amount, language, 1);
  const range = `${show(fineMinVnd)}–${show(fineMaxVnd)}`;
  return translate(language, isMillions ? 'law.fine.millions' : 'law.fine.dong', { range });
}

/** `01/01/2025` of a day as the law writes it, `2025-01-01`. */
export function formatDay(day: string): string {
  return day.split('-').reverse().join('/');
}
