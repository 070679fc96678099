/** Days as the reader means them: Vietnam's, which has no summer time. */
const OFFSET_MS = 7 * 3_600_000;
const DAY_MS = 86_400_000;

/** The instant at which a day (`2025-11-22`) begins, RFC 3339. */
export function startOfDay(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00.000Z`) - OFFSET_MS).toISOString();
}

/** The instant at which the day after begins. */
export function endOfDay(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00.000Z`) - OFFSET_MS + DAY_MS).toISOString();
}

/** True for what a date field gives: a day that exists, four digits of year. */
export function isDay(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00.000Z`));
}

/** The day that it is in Vietnam at `instantMs`. */
export function dayOf(instantMs: number): string {
  return new Date(instantMs + OFFSET_MS).toISOString().slice(0, 10);
}
