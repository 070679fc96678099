import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** One RTP or RTCP packet as it came, with its arrival, ms since 1970. */
export interface InterleavedPacket {
  readonly channel: number;
  readonly data: Buffer;
  readonly receivedAtMs: number;
}

export interface RtspAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** A bare RTSP client for tests: sends what it is told, keeps what comes. */
export class RtspTestClient {
  readonly socket: Socket;
  readonly packets: InterleavedPacket[] = [];
  readonly answers: RtspAnswer[] = [];
  isClosed = false;
  bytesReceived = 0;
  #pending: Buffer = Buffer.alloc(0);
  #cseq = 0;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('close', () => {
      this.isClosed = true;
    });
    socket.on('error', () => {
      this.isClosed = true;
    });
  }

  static async open(port: number): Promise<RtspTestClient> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new RtspTestClient(socket);
  }

  async request(
    method: string,
    url: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<RtspAnswer> {
    this.#cseq += 1;
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    this.socket.write(`${method} ${url} RTSP/1.0\r\nCSeq: ${this.#cseq}\r\n${lines.join('')}\r\n`);
    const expected = this.answers.length + 1;
    await waitUntil(() => this.answers.length >= expected || this.isClosed);
    const answer = this.answers[expected - 1];
    if (!answer) throw new Error(`The server closed the connection instead of answering ${method}`);
    return answer;
  }

  /** SETUP and PLAY of a mount; returns the answer to PLAY. */
  async play(url: string): Promise<RtspAnswer> {
    const setUp = await this.request('SETUP', `${url}/trackID=0`, {
      Transport: 'RTP/AVP/TCP;unicast;interleaved=0-1',
    });
    const session = /^Session: (\w+)/m.exec(setUp.head)?.[1] ?? '';
    return this.request('PLAY', url, { Session: session });
  }

  close(): void {
    this.socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.bytesReceived += chunk.length;
    this.#pending = Buffer.concat([this.#pending, chunk]);
    while (this.#take());
  }

  #take(): boolean {
    const pending = this.#pending;
    if (pending[0] === 0x24) {
      if (pending.length < 4) return false;
      const end = 4 + pending.readUInt16BE(2);
      if (pending.length < end) return false;
      const data = Buffer.from(pending.subarray(4, end));
      this.packets.push({
        channel: pending[1] ?? 0,
        data,
        receivedAtMs: performance.timeOrigin + performance.now(),
      });
      this.#pending = pending.subarray(end);
      return true;
    }
    const headEnd = pending.indexOf('\r\n\r\n');
    if (headEnd === -1) return false;
    const head = pending.toString('latin1', 0, headEnd);
    const end = headEnd + 4 + Number(/^Content-Length: (\d+)/m.exec(head)?.[1] ?? 0);
    if (pending.length < end) return false;
    const status = Number(/^RTSP\/1\.0 (\d+)/.exec(head)?.[1] ?? 0);
    this.answers.push({ status, head, body: pending.toString('utf8', headEnd + 4, end) });
    this.#pending = pending.subarray(end);
    return true;
  }
}

/** Polls until the condition holds; throws after the deadline. */
export async function waitUntil(isMet: () => boolean, deadlineMs = 5_000): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!isMet()) {
    if (performance.now() > end) throw new Error(`Not met within ${deadlineMs} ms: ${isMet}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
