import { ROLES, type Role } from './role.ts';

/**
 * Who may do what: the value of `config.access` of a route. `admin` looks after accounts and policy and sees no case;
 * `auditor` sees everything and changes nothing; `operator` keeps the machines alive without a look at road users.
 */
export const MAY = {
  /** Lists and live changes of cases; `analyst` gets them without pictures (`describeSummaryFor`). */
  listCases: ['reviewer', 'supervisor', 'analyst', 'auditor'],
  /** One case with its subject, evidence files and decisions. */
  readCase: ['reviewer', 'supervisor', 'auditor'],
  /** A first decision, or another one of one's own. */
  decideCase: ['reviewer', 'supervisor'],
  /** A decision over another person's; consent to an opening of the original. */
  overruleCase: ['supervisor'],
  /** The plate of a case in full; lists show a part of it only. */
  readPlate: ['reviewer', 'supervisor', 'auditor'],
  /** Confirm or correct what was read on a plate. */
  judgePlate: ['reviewer', 'supervisor'],
  /** Find cases by plate: who may do that can follow a person. */
  searchPlate: ['supervisor'],
  /** Ask for the sealed original of a case, with a reason. */
  requestOriginal: ['reviewer', 'supervisor'],
  /** The signed archive of a case. */
  exportCase: ['supervisor'],
  /** Legal hold, erasure, what a person is told of what is kept of him. */
  governData: ['supervisor'],
  /** What the cameras do, and measurements without persons. */
  readFleet: ['reviewer', 'supervisor', 'operator', 'analyst', 'auditor'],
  /** The nodes and their outboxes, and what was refused on the way in. */
  readDelivery: ['operator', 'auditor'],
  readDirectives: ['reviewer', 'supervisor', 'operator', 'analyst', 'auditor'],
  declareDirective: ['operator', 'supervisor'],
  /**
   * Single passages of a fever gate: health data. Of those who keep the gate, within their areas; not of who decides cases with plates,
   * who could put the two together.
   */
  readScreening: ['operator', 'auditor'],
  enterThermometer: ['operator'],
  readAudit: ['auditor'],
  readAccounts: ['admin', 'auditor'],
  governAccounts: ['admin'],
  /** One's own session, password and second factor. */
  ownAccount: ROLES,
} as const satisfies Readonly<Record<string, readonly Role[]>>;

/** Whether one of the person's roles is among those allowed. */
export function isAllowed(person: { readonly roles: readonly Role[] }, allowed: readonly Role[]): boolean {
  return person.roles.some((role) => allowed.includes(role));
}
