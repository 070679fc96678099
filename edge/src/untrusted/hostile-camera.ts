import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';

/** A camera whose every byte is chosen: what it says of itself (SDP), and what it sends when it is asked to play. */
export interface HostileCamera {
  readonly url: string;
  /** What the next clients get, as `encodeCameraInput` writes it. */
  show(input: Uint8Array): void;
  close(): void;
}

/** Length of the SDP (2 bytes), the SDP, then the interleaved stream. */
export function encodeCameraInput(sdp: Buffer, stream: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(sdp.length);
  return Buffer.concat([length, sdp, stream]);
}

function decodeCameraInput(input: Uint8Array): { readonly sdp: Buffer; readonly stream: Buffer } {
  const bytes = Buffer.from(input);
  const end = 2 + (bytes.length < 2 ? 0 : bytes.readUInt16BE());
  return { sdp: bytes.subarray(2, end), stream: bytes.subarray(end) };
}

/** Records one second of H.264 as ffmpeg sends it by RTP, each packet behind its interleaved header. */
export async function recordCameraInput(folder: string): Promise<Buffer> {
  const packets: Buffer[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (packet: Buffer) => {
    const head = Buffer.from([0x24, 0, 0, 0]);
    head.writeUInt16BE(packet.length, 2);
    packets.push(head, packet);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const sdpFile = join(folder, 'camera.sdp');
  const source = ['-re', '-f', 'lavfi', '-i', 'testsrc2=s=64x48:r=10:d=1'];
  const codec = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '5', '-pix_fmt', 'yuv420p'];
  const target = `rtp://127.0.0.1:${socket.address().port}?rtcpport=${socket.address().port}`;
  const output = ['-bsf:v', 'dump_extra', '-f', 'rtp', '-sdp_file', sdpFile, target];
  const child = spawn('ffmpeg', ['-nostdin', '-v', 'error', ...source, ...codec, ...output], {
    stdio: 'ignore',
  });
  await once(child, 'close');
  socket.close();
  const sdp = readFileSync(sdpFile, 'utf8').replace(/^SDP:\s*/, '');
  return encodeCameraInput(Buffer.from(`${sdp.trim()}\r\na=control:trackID=0\r\n`), Buffer.concat(packets));
}

function serve(socket: Socket, show: () => Uint8Array): void {
  let pending = '';
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    pending += chunk.toString('latin1');
    for (let end = pending.indexOf('\r\n\r\n'); end >= 0; end = pending.indexOf('\r\n\r\n')) {
      const head = pending.slice(0, end);
      pending = pending.slice(end + 4);
      const { sdp, stream } = decodeCameraInput(show());
      const method = /^[A-Z_]+/.exec(head)?.[0] ?? '';
      const body = method === 'DESCRIBE' ? sdp : Buffer.alloc(0);
      const lines = [
        'RTSP/1.0 200 OK',
        `CSeq: ${/^CSeq: *(\d+)/im.exec(head)?.[1] ?? '0'}`,
        'Session: 1',
        'Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN',
        'Transport: RTP/AVP/TCP;unicast;interleaved=0-1',
        `Content-Type: application/sdp\r\nContent-Length: ${body.length}`,
      ];
      socket.write(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]));
      if (method === 'PLAY') socket.end(stream);
    }
  });
}

export async function openHostileCamera(): Promise<HostileCamera> {
  let shown: Uint8Array = new Uint8Array();
  const server = createServer((socket) => serve(socket, () => shown));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `rtsp://127.0.0.1:${port}/camera`,
    show: (input) => {
      shown = input;
    },
    close: () => void server.close(),
  };
}
