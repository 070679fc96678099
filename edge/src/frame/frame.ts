/** The picture of one signal head, cut from the frame at source resolution. BGR24, row-major, `width * height * 3`. */
export interface LampCrop {
  readonly signal: string;
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** One decoded picture at analysis size. Whoever holds the frame owns its buffers; nothing writes to them again. */
export interface Frame {
  /** One opening of the stream; media time and index begin anew with it. */
  readonly session: string;
  /** Source frame number in decode order from 0, also counting frames that were not analysed. */
  readonly index: number;
  /** Presentation time within the session, ms. */
  readonly mediaTimeMs: number;
  /** Presentation time on the node's clock (live) or on the media clock (replay), ms since 1970. */
  readonly capturedAtMs: number;
  /** Bound on the error of `capturedAtMs`, ms; 0 in a replay. */
  readonly clockErrorMs: number;
  /** Size of `pixels`: BGR24, row-major, `width * height * 3` bytes. */
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
  /** Size of the picture that the camera sent; boxes and scenes are in these pixels. */
  readonly sourceWidth: number;
  readonly sourceHeight: number;
  readonly lamps: readonly LampCrop[];
}
