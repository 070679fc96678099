import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { RegisterImage } from './register-image.ts';

/**
 * How a server misbehaves on the wire. `silent`: it takes requests and answers none (half-open); `garbage`: random bytes; `short`: the answer
 * is cut; `long`: it says fewer bytes than it sends; `other-unit`: it answers for another device; `exception`: code 4 to everything;
 * `flood`: bytes without end.
 */
export const WIRE_FAULTS = [
  'silent',
  'garbage',
  'short',
  'long',
  'other-unit',
  'exception',
  'flood',
] as const;
export type WireFault = (typeof WIRE_FAULTS)[number];

export interface ModbusServerOptions {
  readonly image: RegisterImage;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly unit: number;
  /** Uniform in [0, 1): bytes of garbage. */
  readonly random: () => number;
}

const HEADER_BYTES = 7;
const ILLEGAL_FUNCTION = 1;
const DEVICE_FAILURE = 4;
/** A request is no longer than this (Modbus Messaging on TCP/IP, 4.1), bytes. */
const REQUEST_MAX_BYTES = 260;
const FLOOD_BYTES = 65_536;

/** A Modbus TCP server of one device, whose wire can be spoiled while it runs. */
export class SimulatedModbusServer {
  /** What is wrong on the wire now. */
  fault: WireFault | undefined;
  /** Requests that came since the start. */
  requests = 0;
  readonly #options: ModbusServerOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(options: ModbusServerOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  /** Listens; rejects where the port is taken. */
  static async open(options: ModbusServerOptions): Promise<SimulatedModbusServer> {
    const server = new SimulatedModbusServer(options);
    server.#server.listen(options.port, options.host);
    await once(server.#server, 'listening');
    return server;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the server does not listen');
    return address.port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => this.#sockets.delete(socket));
    // a client that is killed resets its connection: nothing to do about it
    socket.on('error', () => socket.destroy());
    let waiting: Buffer<ArrayBufferLike> = Buffer.alloc(0);
    socket.on('data', (data: Buffer) => {
      waiting = Buffer.concat([waiting, data]);
      while (waiting.length >= HEADER_BYTES) {
        const size = 6 + waiting.readUInt16BE(4);
        if (size > REQUEST_MAX_BYTES || waiting.readUInt16BE(2) !== 0) {
          socket.destroy();
          return;
        }
        if (waiting.length < size) return;
        this.#answer(socket, waiting.subarray(0, size));
        waiting = waiting.subarray(size);
      }
    });
  }

  #answer(socket: Socket, request: Buffer): void {
    this.requests += 1;
    const { unit: own, random } = this.#options;
    const unit = request[6] ?? 0;
    if (unit !== own || this.fault === 'silent') return;
    const pdu = this.fault === 'exception' ? undefined : this.#process(request.subarray(HEADER_BYTES));
    if (pdu === 'silent') return;
    const code = request[HEADER_BYTES] ?? 0;
    const answer = frame(request.readUInt16BE(0), unit, pdu ?? Buffer.from([code | 0x80, DEVICE_FAILURE]));
    socket.write(this.#spoil(answer, random));
  }

  #spoil(answer: Buffer, random: () => number): Buffer {
    switch (this.fault) {
      case 'garbage':
        return Buffer.from(answer.map(() => Math.floor(random() * 256)));
      case 'short': {
        const cut = Buffer.from(answer.subarray(0, answer.length - 2));
        cut.writeUInt16BE(cut.length - 6, 4);
        return cut;
      }
      case 'long': {
        const more = Buffer.concat([answer, Buffer.from([0xde, 0xad])]);
        more.writeUInt16BE(more.length - 6, 4);
        return more;
      }
      case 'other-unit': {
        const other = Buffer.from(answer);
        other[6] = ((other[6] ?? 0) + 1) % 248;
        return other;
      }
      case 'flood':
        return Buffer.concat([answer, Buffer.alloc(FLOOD_BYTES, 0xff)]);
      default:
        return answer;
    }
  }

  #process(pdu: Buffer): Buffer | 'silent' {
    const code = pdu[0] ?? 0;
    if ((code !== 3 && code !== 4) || pdu.length !== 5) return Buffer.from([code | 0x80, ILLEGAL_FUNCTION]);
    const answer = this.#options.image.read(pdu.readUInt16BE(1), pdu.readUInt16BE(3));
    if (answer === 'silent') return answer;
    if ('exception' in answer) return Buffer.from([code | 0x80, answer.exception]);
    const body = Buffer.alloc(2 + 2 * answer.length);
    body[0] = code;
    body[1] = 2 * answer.length;
    for (const [index, register] of answer.entries()) body.writeUInt16BE(register, 2 + 2 * index);
    return body;
  }
}

function frame(transaction: number, unit: number, pdu: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(transaction, 0);
  header.writeUInt16BE(pdu.length + 1, 4);
  header[6] = unit;
  return Buffer.concat([header, pdu]);
}
