import type { PlateFinding } from '@ngatu/contract';
import type { Box } from '../geometry/box.ts';
import type { BlurSubject } from './blur-zone.ts';
import type { Sight } from './road-user-sight.ts';

/** A picture at full resolution as it was decoded. */
export interface PlateFrame {
  /** Presentation time within the session, ms. */
  readonly mediaTimeMs: number;
  /** JPEG of the whole picture. */
  readonly file: string;
}

/** The pictures around one event in which its road user's plate is to be read. Structured data only: it crosses to another process. */
export interface PlateJob {
  /** Size of the camera's picture, in whose pixels all boxes are. */
  readonly width: number;
  readonly height: number;
  /** Rising. */
  readonly frames: readonly PlateFrame[];
  readonly sights: readonly Sight[];
  readonly subject: BlurSubject;
  /** The decisive moment: there the subject is where the event says, ms of media time. */
  readonly momentMs: number;
  /** The same instant, ms since 1970: formats of plates have dates. */
  readonly capturedAtMs: number;
}

/** What was read, and the picture that it was read best on. */
export interface PlateOutcome {
  readonly finding: PlateFinding;
  /** Absent where no plate was bound to the subject. */
  readonly best?: { readonly mediaTimeMs: number; readonly box: Box };
}

/** Reads the plate of an event's road user. */
export interface PlateDesk {
  /**
   * Without a model, and with one that fails, the finding says so.
   * @throws NgatuError CHILD_FAILED (retryable), PICTURE_UNREADABLE; the signal's reason where it aborts
   */
  readPlate(job: PlateJob, signal: AbortSignal): Promise<PlateOutcome>;
}
