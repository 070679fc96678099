import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { UntrustedParser } from '@ngatu/contract';
import { CameraMount } from '../camera/camera-mount.ts';
import { type Clip, loadClip } from '../camera/clip.ts';
import { decodePacketList } from '../camera/clip-demux.ts';
import { buildDigestChallenge, isDigestValid } from '../camera/digest-authentication.ts';
import { findParameterSets, splitAnnexB } from '../camera/nal-unit.ts';
import { packetizeAccessUnit } from '../camera/rtp-packet.ts';
import { RtspConnection } from '../camera/rtsp-connection.ts';
import { RtspRequestParser, RtspSyntaxError } from '../camera/rtsp-message.ts';
import { buildSessionDescription } from '../camera/sdp.ts';
import { loadRecordedSeries } from '../sensors/recorded-series.ts';

const encode = (text: string): Buffer => Buffer.from(text, 'latin1');

/** Annex B with the parameter sets of H.264, a keyframe and a picture after it; the payloads are of no picture. */
function buildAnnexB(): Buffer {
  const unit = (...bytes: number[]): Buffer => Buffer.from([0, 0, 0, 1, ...bytes]);
  const slice = Array.from({ length: 3_000 }, (_, i) => (i * 7 + 3) % 256 || 1);
  return Buffer.concat([
    unit(0x67, 0x42, 0xc0, 0x1e, 0xd9, 0x01, 0x40, 0x7b, 0x20),
    unit(0x68, 0xce, 0x38, 0x80),
    unit(0x65, ...slice),
    unit(0x41, ...slice.slice(0, 400)),
  ]);
}

function buildClip(): Clip {
  const nalUnits = splitAnnexB(buildAnnexB());
  const parameterSets = findParameterSets('h264', nalUnits);
  if (parameterSets === undefined) throw new Error('the sample has no parameter sets');
  const unit = (index: number) => ({
    nalUnits,
    ptsTicks: index * 3_600,
    dtsTicks: index * 3_600,
    isKeyframe: true,
  });
  return {
    codec: 'h264',
    width: 320,
    height: 240,
    parameterSets,
    accessUnits: [unit(0), unit(1)],
    durationTicks: 7_200,
    originMs: 0,
  };
}

const nalParser: UntrustedParser = {
  name: 'nal-units',
  covers: ['simulators/camera/nal-unit.ts#splitAnnexB'],
  source: 'a video file',
  form: 'binary',
  pace: 'process',
  open: async () => ({
    samples: [buildAnnexB()],
    parse: (input) => {
      const nalUnits = splitAnnexB(Buffer.from(input));
      if (nalUnits.length === 0) return 'NO_NAL_UNIT';
      findParameterSets('h264', nalUnits);
      const fields = { channel: 0, sequence: 65_535, timestamp: 2 ** 32 - 1, ssrc: 1 };
      packetizeAccessUnit(nalUnits, { codec: 'h264', ...fields });
      const parameterSets = findParameterSets('hevc', nalUnits);
      packetizeAccessUnit(nalUnits, { codec: 'hevc', ...fields });
      if (parameterSets === undefined) return undefined;
      buildSessionDescription(
        { ...buildClip(), codec: 'hevc', parameterSets },
        { host: '127.0.0.1', sessionId: 1 },
      );
      return undefined;
    },
  }),
};

const REQUESTS = [
  'OPTIONS rtsp://127.0.0.1:8554/camera RTSP/1.0\r\nCSeq: 1\r\n\r\n',
  'DESCRIBE rtsp://127.0.0.1:8554/camera RTSP/1.0\r\nCSeq: 2\r\nAccept: application/sdp\r\n\r\n',
  'SETUP rtsp://127.0.0.1:8554/camera/trackID=0 RTSP/1.0\r\nCSeq: 3\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n',
  'PLAY rtsp://127.0.0.1:8554/camera RTSP/1.0\r\nCSeq: 4\r\nSession: 1\r\nRange: npt=0.000-\r\n\r\n',
  'GET_PARAMETER rtsp://127.0.0.1:8554/camera RTSP/1.0\r\nCSeq: 5\r\nContent-Length: 4\r\n\r\nabcd$\0\0\x04abcd',
  'TEARDOWN rtsp://127.0.0.1:8554/camera RTSP/1.0\r\nCSeq: 6\r\nSession: 1\r\n\r\n',
];

const messageParser: UntrustedParser = {
  name: 'rtsp-request',
  covers: ['simulators/camera/rtsp-message.ts#RtspRequestParser'],
  source: 'whoever connects to the camera simulator',
  form: 'text',
  pace: 'process',
  open: async () => ({
    samples: [...REQUESTS.map(encode), encode(REQUESTS.join(''))],
    parse: (input) => {
      const bytes = Buffer.from(input);
      const parser = new RtspRequestParser();
      let requests = 0;
      try {
        // as a network cuts it
        for (let at = 0; at < bytes.length; at += 1_000)
          for (const _ of parser.push(bytes.subarray(at, at + 1_000))) requests++;
      } catch (error) {
        if (error instanceof RtspSyntaxError) return `RTSP ${error.status}`;
        throw error;
      }
      return requests === 0 ? 'NO_REQUEST' : undefined;
    },
  }),
};

const digestParser: UntrustedParser = {
  name: 'rtsp-authorization',
  covers: [],
  source: 'whoever connects to the camera simulator',
  form: 'text',
  pace: 'process',
  open: async () => {
    const nonce = 'a1b2c3';
    const realm = /realm="([^"]*)"/.exec(buildDigestChallenge(nonce))?.[1] ?? '';
    const url = 'rtsp://127.0.0.1:8554/camera';
    const fields = `username="viewer", realm="${realm}", nonce="${nonce}", uri="${url}", response="${'0'.repeat(32)}"`;
    return {
      samples: [encode(`Digest ${fields}`)],
      parse: (input) => {
        const credentials = { username: 'viewer', password: 'a password' };
        const authorization = Buffer.from(input).toString('latin1');
        const isValid = isDigestValid({ credentials, nonce, method: 'DESCRIBE', url, authorization });
        if (isValid) throw new Error('an invented answer was taken for the password');
        return undefined;
      },
    };
  },
};

const connectionParser: UntrustedParser = {
  name: 'rtsp-connection',
  covers: [],
  source: 'whoever connects to the camera simulator',
  form: 'text',
  pace: 'process',
  open: async () => {
    const clock = { epochMs: () => performance.now() };
    const mount = new CameraMount({
      path: '/camera',
      clip: buildClip(),
      clock,
      random: () => 0.5,
      startAtMs: 0,
    });
    mount.start();
    const server = createServer((socket) => {
      new RtspConnection(socket, {
        mounts: new Map([['/camera', mount]]),
        baseUrl: () => 'rtsp://127.0.0.1:8554',
        host: '127.0.0.1',
        bufferMaxBytes: 1024 * 1024,
        onRefused: () => undefined,
      }).serve();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    return {
      samples: [...REQUESTS.map(encode), encode(REQUESTS.join(''))],
      parse: (input) => talk(port, input),
      close: () => void server.close(),
    };
  },
};

/** Sends bytes and an OPTIONS behind them; the connection must answer or be closed. */
function talk(port: number, input: Uint8Array): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let received = 0;
    const finish = (): void => resolve(received === 0 ? 'CLOSED' : undefined);
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length;
      socket.destroy();
    });
    // what was half a request is ended by the end of the stream
    socket.on('connect', () => socket.end(input));
    socket.on('error', () => socket.destroy());
    socket.on('close', finish);
  });
}

const packetListParser: UntrustedParser = {
  name: 'packet-list',
  covers: ['simulators/camera/clip-demux.ts#decodePacketList'],
  source: 'ffmpeg, of a video file',
  form: 'text',
  pace: 'process',
  open: async () => {
    const list =
      '#software: Lavf59\n#tb 0: 1/90000\n#media_type 0: video\n' +
      '0,          0,          0,     3600,      700, 0x1f2a3b4c\n' +
      '0,       3600,      10800,     3600,      300, 0x1f2a3b4c, F=0x0\n' +
      '0,       7200,       7200,     3600,       24, 0x1f2a3b4c, F=0x5\n';
    const data = Buffer.alloc(1_024);
    return {
      samples: [encode(list)],
      parse: (input) => {
        decodePacketList('clip.mp4', Buffer.from(input).toString('latin1'), data);
        return undefined;
      },
    };
  },
};

const clipParser: UntrustedParser = {
  name: 'clip-file',
  covers: ['simulators/camera/clip.ts#loadClip'],
  source: 'who hands over a video to be streamed',
  form: 'binary',
  pace: 'media',
  open: async (folder) => {
    const file = join(folder, 'clip.mp4');
    const source = ['-nostdin', '-v', 'error', '-y', '-f', 'lavfi', '-i', 'testsrc2=s=64x48:r=10:d=1'];
    const h264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '5', '-pix_fmt', 'yuv420p'];
    await promisify(execFile)('ffmpeg', [...source, ...h264, file]);
    return {
      samples: [readFileSync(file)],
      parse: async (input, signal) => {
        writeFileSync(file, input);
        await loadClip(file, { signal });
        return undefined;
      },
    };
  },
};

const seriesParser: UntrustedParser = {
  name: 'recorded-series',
  covers: [
    'simulators/sensors/recorded-series.ts#readRecordedSeries',
    'simulators/sensors/recorded-series.ts#loadRecordedSeries',
  ],
  source: 'who hands over a series to be replayed',
  form: 'text',
  pace: 'process',
  open: async (folder) => {
    const file = join(folder, 'speed.csv');
    const rows =
      'timestamp,value\n2015-09-01 13:45:00,3.06\n2015-09-01 13:50:00,6.44\n2015-09-01 13:55:00,5\n';
    return {
      samples: [encode(rows)],
      parse: async (input) => {
        writeFileSync(file, input);
        const { values } = await loadRecordedSeries(file);
        if (!values.every(Number.isFinite)) throw new RangeError('a value that is no number');
        return undefined;
      },
    };
  },
};

/** Parsers of the simulators that meet untrusted input: they serve whoever connects. */
export const SIMULATOR_PARSERS: readonly UntrustedParser[] = [
  nalParser,
  messageParser,
  digestParser,
  connectionParser,
  packetListParser,
  clipParser,
  seriesParser,
];
