/** A video file: decoded as fast as its frames are taken. Ends with the file. */
export interface FileInput {
  readonly kind: 'file';
  readonly path: string;
  /** Instant of the first picture on the media clock, ms since 1970. */
  readonly startMs: number;
}

/** A camera over RTSP with TCP transport. Never ends by itself: its end is a disconnect. */
export interface RtspInput {
  readonly kind: 'rtsp';
  /** Without user name and password. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** No decoded picture for this long, or no byte from the server for this long, ends the session, ms. */
  readonly stallTimeoutMs: number;
}

export type VideoInput = FileInput | RtspInput;

/** Copies the compressed packets, untouched, into Matroska segments `000000.mkv`, `000001.mkv`, … */
export interface RingTarget {
  /** Folder of this session's segments; it exists. */
  readonly dir: string;
  /** A segment is closed at the first keyframe past this length, ms. */
  readonly segmentMs: number;
}
