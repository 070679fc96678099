import { EVIDENCE_PRIORITIES, type UploadWindow } from '@ngatu/contract';
import type { UploadTurn } from './link-budget.ts';

/** What decides when a file goes. */
export interface OrderedUpload {
  readonly class: 'derived' | 'original';
  readonly role: string | null;
  /** The greater one goes first. */
  readonly priority: number;
  /** When it was asked for, ms since 1970; null where nobody asked. */
  readonly wantedAtMs: number | null;
}

/**
 * For so long after somebody asked for an original it goes before pictures, ms: a person sits in front of it, and pictures, which
 * have a minute, lose no more than this.
 */
export const AWAITED_MS = 20_000;

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
const TURN_RANK: Readonly<Record<UploadTurn, number>> = { awaited: 0, derived: 1, wanted: 2, idle: 3 };
const DAY_MINUTES = 24 * 60;

/** Whose turn a file is at `nowMs`, ms since 1970. */
export function classifyUpload(
  { class: kind, priority, wantedAtMs }: OrderedUpload,
  nowMs: number,
): UploadTurn {
  if (kind === 'derived') return 'derived';
  if (wantedAtMs === null) return 'idle';
  const waitsMs = nowMs - wantedAtMs;
  const isAwaited = priority >= EVIDENCE_PRIORITIES.demanded && waitsMs >= 0 && waitsMs < AWAITED_MS;
  return isAwaited ? 'awaited' : 'wanted';
}

/** Negative where `left` goes before `right` at `nowMs`; 0 where the order of their making decides. */
export function compareUploads(left: OrderedUpload, right: OrderedUpload, nowMs: number): number {
  return (
    TURN_RANK[classifyUpload(left, nowMs)] - TURN_RANK[classifyUpload(right, nowMs)] ||
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
