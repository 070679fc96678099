import type { PictureJob, PictureOutcome } from '../evidence/picture-job.ts';

/** A model file of the pictures' process: verified there before it is parsed. */
export interface BlurModelFile {
  readonly name: string;
  readonly path: string;
  readonly sha256: string;
}

/** What looks for faces and plates; each may be absent, and its finds are then blurred wholly. */
export interface BlurModelFiles {
  readonly face?: BlurModelFile;
  readonly plate?: BlurModelFile;
}

/** Agent → pictures' process. */
export type PictureRequest =
  | { readonly type: 'open'; readonly models: BlurModelFiles }
  | { readonly type: 'make'; readonly id: number; readonly job: PictureJob };

/** Pictures' process → agent. */
export type PictureReply =
  | { readonly type: 'opened'; readonly problems: readonly string[] }
  | { readonly type: 'made'; readonly id: number; readonly outcome: PictureOutcome }
  | {
      readonly type: 'failed';
      readonly id: number;
      readonly code: string;
      readonly message: string;
      readonly retryable: boolean;
    };
