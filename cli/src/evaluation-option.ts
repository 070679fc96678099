/** What every `ngatu eval NAME` takes. */
export interface EvaluationOptions {
  readonly data: string;
  readonly json?: string;
  readonly predictions?: string;
}
