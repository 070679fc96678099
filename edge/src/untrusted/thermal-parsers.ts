import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { NgatuError, UntrustedParser } from '@ngatu/contract';
import { pino } from 'pino';
import { readFlirFile } from '../thermal/flir-file.ts';
import { parseFlirRecord } from '../thermal/flir-record.ts';
import { decodeGateMemory, encodeGateMemory } from '../thermal/gate-memory.ts';
import { loadGateMemory } from '../thermal/gate-memory-file.ts';
import { pollMatrices } from '../thermal/matrix-feed.ts';
import { readThermalFile } from '../thermal/read-thermal-file.ts';
import { readJsonMatrix, readTextMatrix } from '../thermal/temperature-matrix.ts';
import { buildFlirRecord, FLIR_RAW, packPlain, packPng, wrapInJpeg } from '../thermal/test-flir-file.ts';

const decode = (input: Uint8Array): string => Buffer.from(input).toString('utf8');
const encode = (text: string): Uint8Array => Buffer.from(text);

/** 12 × 9 temperatures round 30 °C, as text with this delimiter. */
function buildTable(delimiter: string, decimal: '.' | ','): string {
  const rows = Array.from({ length: 9 }, (_, y) =>
    Array.from({ length: 12 }, (_, x) => (28 + (x + y) / 4).toFixed(2).replace('.', decimal)).join(delimiter),
  );
  return `Temperature in °C\r\n${rows.join('\r\n')}\r\n`;
}

function buildMatrix(): string {
  const values = Array.from({ length: 108 }, (_, i) => (i % 17 === 0 ? null : 28 + i / 20));
  const capturedAt = '2025-11-22T03:00:00.000Z';
  return JSON.stringify({ schemaVersion: 1, capturedAt, unit: 'Cel', width: 12, height: 9, values });
}

const flirParser: UntrustedParser = {
  name: 'flir-file',
  covers: ['edge/src/thermal/flir-file.ts#readFlirFile', 'edge/src/thermal/flir-record.ts#parseFlirRecord'],
  source: 'a thermal camera, or who hands over its file',
  form: 'binary',
  pace: 'process',
  open: async () => {
    const plain = buildFlirRecord(packPlain(FLIR_RAW));
    const big = buildFlirRecord(packPlain(FLIR_RAW), 'big');
    const png = buildFlirRecord(await packPng(FLIR_RAW));
    return {
      samples: [plain, big, png, wrapInJpeg(plain), Buffer.concat([plain, Buffer.alloc(7), plain])],
      parse: async (input, signal) => {
        if (Buffer.from(input).includes(Buffer.of(0xff, 0xd8, 0xff, 0xf7))) return 'JPEG_LS';
        await readFlirFile(input, {}, signal);
        if (input[0] !== 0xff) parseFlirRecord(input);
        return undefined;
      },
    };
  },
};

const textParser: UntrustedParser = {
  name: 'thermal-text',
  covers: ['edge/src/thermal/temperature-matrix.ts#readTextMatrix'],
  source: 'a thermal camera, or who hands over its file',
  form: 'text',
  pace: 'process',
  open: async () => {
    const wide = Buffer.from(buildTable('\t', ','), 'utf16le');
    return {
      samples: [buildTable(',', '.'), buildTable(';', ','), buildTable(' ', '.')]
        .map(encode)
        .concat([Buffer.concat([Buffer.of(0xff, 0xfe), wide])]),
      // unfolds to a gigabyte
      extremes: [gzipSync(Buffer.alloc(128 * 1024 * 1024)), gzipSync(gzipSync(Buffer.alloc(1024 * 1024)))],
      parse: (input) => {
        readTextMatrix(input);
        return undefined;
      },
    };
  },
};

const packedParser: UntrustedParser = {
  name: 'thermal-gzip',
  covers: [],
  source: 'a thermal camera, or who hands over its file',
  form: 'binary',
  pace: 'process',
  open: async () => ({
    samples: [gzipSync(buildTable(',', '.')), gzipSync(buildTable('\t', ','))],
    parse: (input) => {
      readTextMatrix(input);
      return undefined;
    },
  }),
};

const jsonParser: UntrustedParser = {
  name: 'thermal-json',
  covers: ['edge/src/thermal/temperature-matrix.ts#readJsonMatrix'],
  source: 'a thermal camera, by HTTP or MQTT',
  form: 'json',
  pace: 'process',
  open: async () => ({
    samples: [encode(buildMatrix())],
    parse: (input) => {
      const { celsius, width, height } = readJsonMatrix(decode(input));
      if (celsius.length !== width * height) throw new RangeError('a matrix of another size than it says');
      return undefined;
    },
  }),
};

/** What `readThermalFile` hands to ffmpeg, which is tried by itself. */
function isMedia(bytes: Buffer): boolean {
  const head = bytes.subarray(0, 8).toString('latin1');
  const isVideo = head.startsWith('\x1aE\xdf\xa3') || head.startsWith('RIFF') || head.endsWith('ftyp');
  return isVideo || bytes.includes(Buffer.of(0xff, 0xd8, 0xff, 0xf7));
}

const fileParser: UntrustedParser = {
  name: 'thermal-file',
  covers: ['edge/src/thermal/read-thermal-file.ts#readThermalFile'],
  source: 'who hands over a thermal file',
  form: 'binary',
  pace: 'process',
  open: async (folder) => {
    const file = join(folder, 'thermal');
    return {
      samples: [buildFlirRecord(packPlain(FLIR_RAW)), encode(buildTable(',', '.')), encode(buildMatrix())],
      parse: async (input, signal) => {
        if (isMedia(Buffer.from(input))) return 'MEDIA';
        writeFileSync(file, input);
        await readThermalFile(file, { maxFrames: 3 }, signal);
        return undefined;
      },
    };
  },
};

/** A camera that answers with the input: status, type and body; the first byte says which. */
const feedParser: UntrustedParser = {
  name: 'thermal-feed',
  covers: ['edge/src/thermal/temperature-matrix.ts#readMatrix'],
  source: 'a thermal camera, by HTTP',
  form: 'text',
  pace: 'process',
  open: async () => {
    let answer: Uint8Array = new Uint8Array();
    const server = createServer((_request, response) => {
      const isJson = answer[0] === 0x6a;
      response.writeHead(answer[0] === 0x65 ? 500 : 200, {
        'content-type': isJson ? 'application/json' : 'text/csv',
      });
      response.end(answer.subarray(1));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    return {
      samples: [encode(`j${buildMatrix()}`), encode(`t${buildTable(';', ',')}`)],
      parse: async (input, signal) => {
        answer = input;
        const stop = new AbortController();
        let refusal: NgatuError | undefined;
        const onError = (error: NgatuError): void => {
          refusal = error;
          stop.abort();
        };
        const url = `http://127.0.0.1:${port}/matrix`;
        const until = AbortSignal.any([signal, stop.signal]);
        for await (const _ of pollMatrices({ url, intervalMs: 1, timeoutMs: 5_000, onError }, until)) break;
        return refusal?.code;
      },
      close: () => void server.close(),
    };
  },
};

const memoryParser: UntrustedParser = {
  name: 'gate-memory',
  covers: [
    'edge/src/thermal/gate-memory.ts#decodeGateMemory',
    'edge/src/thermal/gate-memory-file.ts#loadGateMemory',
  ],
  source: 'the node’s own disk, torn or changed',
  form: 'json',
  pace: 'process',
  open: async (folder) => {
    const site = { healthy: [35.1, 35.3], recent: [35.3], readings: 2, cusum: 0, held: false };
    const sample = encodeGateMemory({
      ...{ schemaVersion: 1, fingerprint: 'f', poweredOnMs: 1, lastFrameMs: 2, selfChecks: [] },
      sites: { innerCanthi: site, faceMaximum: { ...site, middleC: 35.2, spreadC: 0.2 } },
      tally: { fromMs: 1, passed: 1, measured: 1, refused: { moving: 1 } },
    });
    const file = join(folder, 'gate.json');
    const logger = pino({ level: 'silent' });
    return {
      samples: [encode(sample)],
      parse: async (input) => {
        writeFileSync(file, input);
        await loadGateMemory(file, logger);
        decodeGateMemory(decode(input));
        return undefined;
      },
    };
  },
};

export const THERMAL_PARSERS: readonly UntrustedParser[] = [
  flirParser,
  textParser,
  packedParser,
  jsonParser,
  fileParser,
  feedParser,
  memoryParser,
];
