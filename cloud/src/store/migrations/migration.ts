/** One step of a schema. Applied once, in one transaction, in the order of the list; never changed after its release. */
export interface Migration {
  /** Number and subject, unique in the database: `001-event`. */
  readonly name: string;
  readonly sql: string;
}
