import { connect, type Socket } from 'node:net';
import type { Bottleneck } from './bottleneck.ts';
import type { CongestionControlName } from './congestion-control.ts';
import type { EmulatedLink } from './emulated-link.ts';
import type { LiveSchedule, ScheduledAction } from './event-schedule.ts';
import { type FlowStatistics, HEADER_BYTES, TcpFlow } from './tcp-flow.ts';

export interface Target {
  readonly host: string;
  readonly port: number;
}

export interface EmulatedConnectionOptions {
  readonly client: Socket;
  readonly target: Target;
  readonly link: EmulatedLink;
  readonly schedule: LiveSchedule;
  readonly congestionControl: CongestionControlName;
  readonly onClose: (connection: EmulatedConnection) => void;
}

/** Bytes that a sender's kernel holds for one connection; more waits in the application. */
const SEND_BUFFER_BYTES = 256 * 1024;
/** RFC 6298 section 5.7. */
const SYN_TIMEOUT_MS = 1_000;
const SYN_ATTEMPTS = 7;
/** Over a frozen link a reset does not get through. */
const FROZEN_CHECK_MS = 500;

interface Half {
  readonly flow: TcpFlow;
  readonly from: Socket;
  readonly to: Socket;
  ended: boolean;
}

/**
 * One connection of a client to the target over the link: a handshake that takes a round trip, then a flow in each direction. An
 * end travels behind the last byte, a reset travels for half a round trip.
 */
export class EmulatedConnection {
  readonly #options: EmulatedConnectionOptions;
  #server: Socket | undefined;
  #up: Half | undefined;
  #down: Half | undefined;
  #synTimer: ScheduledAction | undefined;
  readonly #begunMs: number;
  #attempts = 0;
  #closed = false;

  constructor(options: EmulatedConnectionOptions) {
    this.#options = options;
    const { client, schedule } = options;
    this.#begunMs = schedule.nowMs;
    client.pause();
    client.setNoDelay(true);
    client.on('error', () => undefined);
    client.on('close', () => schedule.enter(() => this.#lose(client)));
    this.#sendSyn(0);
  }

  get statistics(): { up: FlowStatistics | undefined; down: FlowStatistics | undefined } {
    return { up: this.#up?.flow.statistics, down: this.#down?.flow.statistics };
  }

  /** Resets both ends at once. */
  reset(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#synTimer?.cancel();
    this.#up?.flow.close();
    this.#down?.flow.close();
    for (const socket of [this.#options.client, this.#server]) {
      if (socket === undefined || socket.destroyed) continue;
      if (socket.connecting) socket.destroy();
      else socket.resetAndDestroy();
    }
    this.#options.onClose(this);
  }

  #sendSyn(attempt: number): void {
    const { link, schedule } = this.#options;
    if (this.#closed) return;
    if (attempt >= SYN_ATTEMPTS) {
      this.reset();
      return;
    }
    this.#attempts++;
    link.up.send({ sizeBytes: HEADER_BYTES, arrive: () => this.#openServer() });
    const waitMs = SYN_TIMEOUT_MS * 2 ** attempt;
    this.#synTimer?.cancel();
    this.#synTimer = schedule.at(schedule.nowMs + waitMs, () => this.#sendSyn(attempt + 1));
  }

  #openServer(): void {
    const { target, schedule } = this.#options;
    if (this.#closed) return;
    if (this.#server !== undefined) {
      if (!this.#server.connecting) this.#sendSynAnswer();
      return;
    }
    const server = connect({ host: target.host, port: target.port, allowHalfOpen: true });
    this.#server = server;
    server.pause();
    server.setNoDelay(true);
    server.on('error', () => undefined);
    server.once('connect', () => schedule.enter(() => this.#sendSynAnswer()));
    server.on('close', () => schedule.enter(() => this.#lose(server)));
  }

  #sendSynAnswer(): void {
    this.#options.link.down.send({ sizeBytes: HEADER_BYTES, arrive: () => this.#establish() });
  }

  #establish(): void {
    const { client, link } = this.#options;
    const server = this.#server;
    if (this.#closed || this.#up !== undefined || server === undefined) return;
    this.#synTimer?.cancel();
    this.#up = this.#open({ from: client, to: server, forward: link.up, backward: link.down });
    this.#down = this.#open({ from: server, to: client, forward: link.down, backward: link.up });
  }

  #open(ends: { from: Socket; to: Socket; forward: Bottleneck; backward: Bottleneck }): Half {
    const { link, schedule, congestionControl } = this.#options;
    const { from, to, forward, backward } = ends;
    const handshakeMs = this.#attempts === 1 ? { handshakeMs: schedule.nowMs - this.#begunMs } : {};
    const flow = new TcpFlow({
      schedule,
      forward,
      backward,
      congestion: link.createCongestionControl(congestionControl),
      deliver: (content) => {
        if (to.writable) to.write(content);
      },
      ...handshakeMs,
      unreadBytes: () => to.writableLength,
      onProgress: () => this.#continue(half),
    });
    const half: Half = { flow, from, to, ended: false };
    to.on('drain', () => schedule.enter(() => flow.resume()));
    from.on('data', (content: Buffer) =>
      schedule.enter(() => {
        flow.write(content);
        if (flow.unsentBytes >= SEND_BUFFER_BYTES) from.pause();
      }),
    );
    const end = (): void =>
      schedule.enter(() => {
        half.ended = true;
        this.#continue(half);
      });
    if (from.readableEnded) end();
    else from.once('end', end);
    from.resume();
    return half;
  }

  #continue(half: Half): void {
    const { flow, from, to } = half;
    if (this.#closed) return;
    if (!half.ended && from.isPaused() && flow.unsentBytes < SEND_BUFFER_BYTES) from.resume();
    if (half.ended && flow.unsentBytes === 0 && to.writable) to.end();
  }

  /** One end is gone. Where it had said so in order the end travels behind its data; else the other learns of it by a reset. */
  #lose(socket: Socket): void {
    if (this.#closed) return;
    const { client, link, schedule } = this.#options;
    if (client.destroyed && (this.#server === undefined || this.#server.destroyed)) {
      this.reset();
      return;
    }
    const isInOrder = this.#up?.ended === true && this.#down?.ended === true && !socket.errored;
    if (isInOrder) return;
    if (link.isFrozen) schedule.at(schedule.nowMs + FROZEN_CHECK_MS, () => this.#lose(socket));
    else schedule.at(schedule.nowMs + link.conditions.roundTripMs / 2, () => this.reset());
  }
}
