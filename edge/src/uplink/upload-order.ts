import type { UploadWindow } from '@ngatu/contract';
import type { BudgetClass } from './link-budget.ts';

/** What decides when a file goes. */
export interface OrderedUpload {
  readonly class: 'derived' | 'original';
  readonly role: string | null;
  /** The greater one goes first. */
  readonly priority: number;
  readonly wantedAtMs: number | null;
}

/** What a reviewer needs first. */
const ROLE_RANK: Readonly<Record<string, number>> = {
  'still-at': 0,
  'subject-crop': 1,
  'plate-crop': 2,
  'still-before': 3,
  'still-after': 3,
  preview: 4,
  'plate-frame': 5,
};
const OTHER_ROLE = 6;
const CLASS_RANK: Readonly<Record<BudgetClass, number>> = { derived: 0, wanted: 1, idle: 2 };
const DAY_MINUTES = 24 * 60;

export function classifyUpload({ class: kind, wantedAtMs }: OrderedUpload): BudgetClass {
  if (kind === 'derived') return 'derived';
  return wantedAtMs === null ? 'idle' : 'wanted';
}

/** Negative where `left` goes before `right`; 0 where the order of their making decides. */
export function compareUploads(left: OrderedUpload, right: OrderedUpload): number {
  return (
    CLASS_RANK[classifyUpload(left)] - CLASS_RANK[classifyUpload(right)] ||
    right.priority - left.priority ||
    rankRole(left.role) - rankRole(right.role) ||
    (left.wantedAtMs ?? 0) - (right.wantedAtMs ?? 0)
  );
}

/** True where `minuteOfDay` (0–1439) lies in a window; one that ends before it begins runs over midnight. */
export function isWithinWindows(windows: readonly UploadWindow[], minuteOfDay: number): boolean {
  return windows.some(({ from, to }) => {
    const begin = parseMinutes(from);
    const lengthMinutes = (parseMinutes(to) - begin + DAY_MINUTES) % DAY_MINUTES || DAY_MINUTES;
    return (minuteOfDay - begin + DAY_MINUTES) % DAY_MINUTES < lengthMinutes;
  });
}

function rankRole(role: string | null): number {
  return role === null ? OTHER_ROLE : (ROLE_RANK[role] ?? OTHER_ROLE);
}

function parseMinutes(time: string): number {
  const [hours = '0', minutes = '0'] = time.split(':');
  return Number(hours) * 60 + Number(minutes);
}
