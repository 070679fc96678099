/** RFC 6928. */
export const INITIAL_WINDOW = 10;

/** What one acknowledgement told the sender. */
export interface AckSample {
  readonly nowMs: number;
  /** Newly known to have arrived. */
  readonly deliveredSegments: number;
  readonly roundTripMs: number | undefined;
  /** Sent and neither known to have arrived nor to be lost, after this acknowledgement. */
  readonly inFlight: number;
  /** The window was what kept the sender from sending more. */
  readonly isWindowLimited: boolean;
  readonly inRecovery: boolean;
  /** Rate at which the newest delivered segment's flight arrived, segments a ms. */
  readonly deliveryRate: number | undefined;
  /** The sender had nothing more to send while that flight was on its way. */
  readonly isApplicationLimited: boolean;
  /** Grows by one each round trip. */
  readonly round: number;
}

/** How a sender shares a link with others. Windows are in segments. */
export interface CongestionControl {
  readonly window: number;
  /** Segments a ms; absent where the acknowledgements alone set the pace. */
  readonly pacingRate: number | undefined;
  onAck(sample: AckSample): void;
  /** At most once a window. */
  onLoss(nowMs: number, inFlight: number): void;
  onTimeout(nowMs: number, inFlight: number): void;
  /** Nothing was sent for longer than the retransmission timeout. */
  onIdle(): void;
}
