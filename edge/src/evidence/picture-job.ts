import type { EvidenceRole } from '@ngatu/contract';
import type { Box } from '../geometry/box.ts';
import type { BlurSubject } from './blur-zone.ts';
import type { Sight } from './road-user-sight.ts';

/** A still as it was decoded, and where its blurred form goes. */
export interface StillWork {
  readonly role: Exclude<EvidenceRole, 'clip' | 'preview' | 'subject-crop' | 'plate-crop'>;
  readonly mediaTimeMs: number;
  /** JPEG of the whole picture at full resolution. */
  readonly file: string;
  readonly outFile: string;
  /** The result is scaled down to this width where it is wider, px. */
  readonly maxWidth?: number;
  /** Where a cut-out of the subject at full resolution goes. */
  readonly cropFile?: string;
  /** The subject's plate as it was read, source pixels: it is shown, whoever stands before the subject, and cut out into a file. */
  readonly plate?: { readonly box: Box; readonly cropFile: string };
}

/** The small pictures of a preview (I420 files) and where the video goes. */
export interface PreviewWork {
  readonly frames: readonly { readonly mediaTimeMs: number; readonly file: string }[];
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly outFile: string;
  /** Folder for what is unfinished; the caller removes it. */
  readonly workDir: string;
}

/** Everything that is to be shown of one event. Structured data only: it crosses to another process. */
export interface PictureJob {
  /** Size of the camera's picture, in whose pixels all boxes are. */
  readonly width: number;
  readonly height: number;
  /** Who was seen around the event; empty where nobody knows. */
  readonly sights: readonly Sight[];
  /** The road user of the event and the instant of its box; absent where nobody knows. */
  readonly subject?: { readonly user: BlurSubject; readonly mediaTimeMs: number };
  readonly stills: readonly StillWork[];
  readonly preview?: PreviewWork;
}

export interface MadePicture {
  readonly width: number;
  readonly height: number;
  /** How it was derived, see `EvidenceDerivation`. */
  readonly recipe: string;
}

/** What was made, by role; a reason where it could not be. */
export interface PictureOutcome {
  readonly made: Partial<Record<EvidenceRole, MadePicture>>;
  readonly failed: Partial<Record<EvidenceRole, string>>;
  /** Processor time of all of it, ms; absent where it was not measured. */
  readonly cpuMs?: number;
}

/** Makes the pictures of an event in which nobody but its subject can be recognised. */
export interface PictureMaker {
  /**
   * @throws NgatuError DISK_FULL, SETUP_PACKAGE_MISSING: the same job may succeed later. The signal's reason where it aborts.
   *   Whatever fails, nothing unblurred lies in an `outFile`.
   */
  make(job: PictureJob, signal: AbortSignal): Promise<PictureOutcome>;
}
