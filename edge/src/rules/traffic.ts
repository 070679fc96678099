import type { Measurement, Scene, TrafficRule as TrafficParameters } from '@ngatu/contract';
import { computeGroundPoint, type Point } from '../geometry/box.ts';
import { GroundPlane } from '../geometry/ground-plane.ts';
import { isInside } from '../geometry/polygon.ts';
import type { Track } from '../track/track.ts';
import type { FrameMark, RuleContext } from './rule.ts';
import { computeStayRadius, StandingGauge } from './standing-gauge.ts';
import { type GroundMap, ZoneArea } from './traffic-area.ts';
import { QueueGauge } from './traffic-queue.ts';
import { type TrafficState, TrafficWindow } from './traffic-window.ts';
import { TripwireWatch } from './tripwire-watch.ts';
import { findZone } from './zone-position.ts';

/** Frames further apart than this leave blind time in between, ms. */
const MAX_GAP_MS = 2_000;
/** Who stood this long stands in the queue, ms. */
const QUEUE_STAND_MS = 1_500;

/** Where a vehicle was when its way was last added up. */
interface Progress {
  point: Point;
  lastMs: number;
}

/**
 * Traffic figures of a zone in fixed windows that begin at full multiples of `windowMs`. Not an accusation: no event comes
 * of it. Between two frames the state of the first one holds; a gap of more than 2 s is blind and counts for nothing.
 *
 * ```
 *  entry ──┼──▶  ▓▓  ▓▓   zone    ▓▓ ┼──▶ exit      ▓▓ standing before the exit: the queue
 * ```
 */
export class TrafficRule {
  readonly name: string;
  readonly #rule: TrafficParameters;
  readonly #polygon: readonly Point[];
  readonly #ground: GroundMap | undefined;
  readonly #gauge = new StandingGauge();
  readonly #area: ZoneArea;
  readonly #queue: QueueGauge;
  readonly #watches: readonly { tripwire: string; role: 'entry' | 'exit'; watch: TripwireWatch }[];
  /** By which entry a road user came. */
  readonly #entries = new Map<number, string>();
  readonly #progress = new Map<number, Progress>();
  /** Those that were counted as arrived in the zone. */
  readonly #arrived = new Set<number>();
  #window: TrafficWindow | undefined;
  #last: { frame: FrameMark; state: TrafficState } | undefined;

  /** @throws RangeError where it names what the scene has not; NgatuError CALIBRATION_INVALID */
  constructor(rule: TrafficParameters, scene: Scene) {
    this.name = rule.name;
    this.#rule = rule;
    this.#polygon = findZone(scene, rule.zone);
    const { calibration, picture, view, tripwires } = scene;
    this.#ground = calibration === undefined ? undefined : GroundPlane.fromCalibration(calibration, picture);
    this.#area = new ZoneArea(this.#polygon, view.depressionDeg, this.#ground);
    const stops = tripwires.filter(({ name }) => rule.exits.includes(name));
    this.#queue = new QueueGauge(stops, this.#ground);
    const watch = (role: 'entry' | 'exit') => (tripwire: string) => ({
      tripwire,
      role,
      watch: new TripwireWatch(scene, tripwire),
    });
    this.#watches = [...rule.entries.map(watch('entry')), ...rule.exits.map(watch('exit'))];
  }

  /** Takes the next frame; returns the figures of the window that has ended before it. */
  update(context: RuleContext): Measurement[] {
    this.#gauge.update(context);
    const done = this.#hold(context.frame);
    const window = this.#windowAt(context.frame.capturedAtMs);
    this.#forget(context);
    const vehicles = context.tracks.filter(
      ({ label, groundSeen, seen }) => seen && groundSeen && this.#rule.labels.includes(label),
    );
    for (const track of vehicles) this.#passTripwires(track, window);
    for (const track of vehicles) this.#travel(track, context.frame, window);
    this.#last = { frame: context.frame, state: this.#look(context) };
    return done;
  }

  /** Closes the open window: what was watched of it comes out. */
  finish(): Measurement[] {
    return this.#close();
  }

  /** Adds the time since the frame before to the windows that it lies in. */
  #hold(frame: FrameMark): Measurement[] {
    const last = this.#last;
    const nowMs = frame.capturedAtMs;
    const done: Measurement[] = [];
    // either clock tells a gap: pictures that are missing, or a node clock that was set
    const isWatched =
      last !== undefined &&
      frame.mediaTimeMs - last.frame.mediaTimeMs <= MAX_GAP_MS &&
      nowMs - last.frame.capturedAtMs <= MAX_GAP_MS;
    if (isWatched) {
      let fromMs = last.frame.capturedAtMs;
      while (this.#window !== undefined && nowMs >= this.#window.endMs && fromMs < nowMs) {
        const { endMs } = this.#window;
        this.#window.addState(last.state, fromMs, endMs);
        done.push(...this.#close());
        this.#window = this.#windowAt(endMs);
        fromMs = Math.max(fromMs, endMs);
      }
      this.#windowAt(nowMs).addState(last.state, fromMs, nowMs);
    } else if (this.#window !== undefined && nowMs >= this.#window.endMs) done.push(...this.#close());
    return done;
  }

  #close(): Measurement[] {
    const measurements = this.#window?.toMeasurements({ rule: this.name, zone: this.#rule.zone }) ?? [];
    this.#window = undefined;
    return measurements;
  }

  /** The open window, or a new one around this instant. A clock that goes back stays in the open window. */
  #windowAt(atMs: number): TrafficWindow {
    if (this.#window === undefined) {
      const { windowMs } = this.#rule;
      const startMs = Math.floor(atMs / windowMs) * windowMs;
      this.#window = new TrafficWindow(startMs, startMs + windowMs);
    }
    return this.#window;
  }

  #forget({ tracks }: RuleContext): void {
    const alive = new Set(tracks.map(({ trackId }) => trackId));
    for (const { watch } of this.#watches) watch.retain(alive);
    for (const map of [this.#entries, this.#progress]) {
      for (const trackId of map.keys()) if (!alive.has(trackId)) map.delete(trackId);
    }
    for (const trackId of this.#arrived) if (!alive.has(trackId)) this.#arrived.delete(trackId);
  }

  #passTripwires(track: Track, window: TrafficWindow): void {
    const { rule, zone } = { rule: this.name, zone: this.#rule.zone };
    const flowRole = this.#rule.entries.length > 0 ? 'entry' : 'exit';
    for (const { tripwire, role, watch } of this.#watches) {
      const direction = watch.pass(track);
      if (direction === undefined) continue;
      window.addPassing({ rule, zone, tripwire, direction, label: track.label });
      if (direction === 'backward') continue;
      if (role === flowRole) window.addArrival();
      if (role === 'entry') this.#entries.set(track.trackId, tripwire);
      const entry = this.#entries.get(track.trackId);
      if (role !== 'exit' || entry === undefined) continue;
      window.addTurning({ rule, zone, entry, exit: tripwire, label: track.label });
      this.#entries.delete(track.trackId);
    }
  }

  /** Way and time inside the zone; a step counts when it is longer than jitter. */
  #travel(track: Track, { mediaTimeMs }: FrameMark, window: TrafficWindow): void {
    const point = computeGroundPoint(track.box);
    if (!isInside(this.#polygon, point)) {
      this.#progress.delete(track.trackId);
      return;
    }
    if (this.#watches.length === 0 && !this.#arrived.has(track.trackId)) window.addArrival();
    this.#arrived.add(track.trackId);
    const progress = this.#progress.get(track.trackId);
    if (progress === undefined || mediaTimeMs - progress.lastMs > MAX_GAP_MS) {
      this.#progress.set(track.trackId, { point, lastMs: mediaTimeMs });
      return;
    }
    const [from, to] = [this.#ground?.toGround(progress.point), this.#ground?.toGround(point)];
    if (from === undefined || to === undefined) return;
    const [x, y] = progress.point;
    const isStep = Math.hypot(point[0] - x, point[1] - y) > computeStayRadius(track.box);
    window.addTravel(
      isStep ? Math.hypot(to[0] - from[0], to[1] - from[1]) : 0,
      mediaTimeMs - progress.lastMs,
    );
    if (isStep) progress.point = point;
    progress.lastMs = mediaTimeMs;
  }

  #look({ tracks }: RuleContext): TrafficState {
    const inside = tracks.filter(
      ({ label, box }) =>
        this.#rule.labels.includes(label) && isInside(this.#polygon, computeGroundPoint(box)),
    );
    const standing = inside.filter(({ trackId }) => this.#gauge.standingMsOf(trackId) >= QUEUE_STAND_MS);
    const queue = this.#queue.measure(standing.map(({ box }) => box));
    return {
      vehiclesInside: inside.length,
      areaShare: this.#area.computeShare(inside),
      queueVehicles: queue.vehicles,
      ...(queue.lengthM === undefined ? {} : { queueM: queue.lengthM }),
    };
  }
}
