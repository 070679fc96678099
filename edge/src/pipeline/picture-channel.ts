import type { NetworkUse } from '@ngatu/contract';
import type { PictureJob, PictureOutcome } from '../evidence/picture-job.ts';
import type { PlateJob, PlateOutcome } from '../evidence/plate-job.ts';
import type { NetworkFile } from '../model/model-file.ts';

/** What a network of the pictures' process is used for. */
export type PictureUse = Extract<NetworkUse, 'face-blur' | 'plate-blur' | 'plate-finder' | 'plate-reader'>;

/** What looks for faces and plates to blur; each may be absent, and its finds are then blurred wholly. Files are verified where they are opened. */
export interface PictureNetworks {
  readonly face?: NetworkFile;
  readonly plate?: NetworkFile;
  /** What finds and reads the subject's plate; absent where plates are not read, or one of the models was not supplied. */
  readonly reading?: { readonly detector: NetworkFile; readonly readers: readonly NetworkFile[] };
}

/** Why a network could not be opened for pictures. */
export interface PictureProblem {
  readonly use: PictureUse;
  /** Of the network. */
  readonly name: string;
  readonly code: string;
  readonly message: string;
}

/** Agent → pictures' process. */
export type PictureRequest =
  /** From the next job on these serve. */
  | { readonly type: 'use'; readonly networks: PictureNetworks }
  /** Open it as it would be used, and close it again. */
  | { readonly type: 'prove'; readonly id: number; readonly use: PictureUse; readonly network: NetworkFile }
  | { readonly type: 'make'; readonly id: number; readonly job: PictureJob }
  | { readonly type: 'read-plate'; readonly id: number; readonly job: PlateJob };

/** Pictures' process → agent. */
export type PictureReply =
  | { readonly type: 'opened'; readonly problems: readonly PictureProblem[] }
  | { readonly type: 'proved'; readonly id: number }
  | { readonly type: 'made'; readonly id: number; readonly outcome: PictureOutcome }
  | { readonly type: 'plate-read'; readonly id: number; readonly outcome: PlateOutcome }
  | {
      readonly type: 'failed';
      readonly id: number;
      readonly code: string;
      readonly message: string;
      readonly retryable: boolean;
    };
