/**
 * What a person is trusted with. An account holds one or several; what each may do is in `permission.ts`, and
 * docs/access.md tells it in a table.
 */
export const ROLES = ['reviewer', 'supervisor', 'operator', 'analyst', 'auditor', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export function isRole(text: string): text is Role {
  return (ROLES as readonly string[]).includes(text);
}
