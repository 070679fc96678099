import type { PictureJob, PictureOutcome } from '../evidence/picture-job.ts';
import type { PlateJob, PlateOutcome } from '../evidence/plate-job.ts';

/** A model file of the pictures' process: verified there before it is parsed. */
export interface BlurModelFile {
  readonly name: string;
  readonly path: string;
  readonly sha256: string;
}

/** What looks for faces and plates to blur; each may be absent, and its finds are then blurred wholly. */
export interface BlurModelFiles {
  readonly face?: BlurModelFile;
  readonly plate?: BlurModelFile;
  /** What finds and reads the subject's plate; absent where plates are not read, or one of the models was not supplied. */
  readonly reading?: { readonly detector: BlurModelFile; readonly readers: readonly BlurModelFile[] };
}

/** Agent → pictures' process. */
export type PictureRequest =
  | { readonly type: 'open'; readonly models: BlurModelFiles }
  | { readonly type: 'make'; readonly id: number; readonly job: PictureJob }
  | { readonly type: 'read-plate'; readonly id: number; readonly job: PlateJob };

/** Pictures' process → agent. */
export type PictureReply =
  | { readonly type: 'opened'; readonly problems: readonly string[] }
  | { readonly type: 'made'; readonly id: number; readonly outcome: PictureOutcome }
  | { readonly type: 'plate-read'; readonly id: number; readonly outcome: PlateOutcome }
  | {
      readonly type: 'failed';
      readonly id: number;
      readonly code: string;
      readonly message: string;
      readonly retryable: boolean;
    };
