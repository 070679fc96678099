/** `reviewer` decides cases, `operator` also sees what was refused on the way in, `admin` may do everything. */
export const ROLES = ['admin', 'operator', 'reviewer'] as const;
export type Role = (typeof ROLES)[number];
