import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import {
  Ack,
  buildSchemaExample,
  decodeReceivedParts,
  EvidenceRequest,
  findSchemaIssues,
  ResendRequest,
  type UntrustedParser,
  UPLOAD_PARTS_HEADER,
} from '@ngatu/contract';
import type { MqttClient } from 'mqtt';
import { pino } from 'pino';
import { Outbox } from '../outbox/outbox.ts';
import { EntrySender } from '../uplink/entry-sender.ts';
import { sendHttp } from '../uplink/http-exchange.ts';
import { UploadRequests } from '../uplink/upload-request.ts';

const encode = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const logger = pino({ level: 'silent' });

/** An outbox with twenty measurements, and the sender that answers the centre. No broker: what it would send it keeps. */
function openSender(folder: string): { readonly outbox: Outbox; readonly sender: EntrySender } {
  const clock = { nowMs: () => 1_763_000_000_000, monotonicMs: () => performance.now() };
  const { outbox } = Outbox.open({
    file: join(folder, 'outbox.sqlite'),
    maxBytes: 8 * 1024 * 1024,
    origin: { site: 'hanoi', node: 'gate-1' },
    clock,
    logger,
  });
  const options = {
    ...{ outbox, logger, clock, site: 'hanoi', node: 'gate-1', cameras: [], version: '0' },
    ...{ random: () => 0.5, broker: { url: 'mqtt://127.0.0.1:1' } },
  };
  const client = { connected: false } as MqttClient;
  return { outbox, sender: new EntrySender(options, client, (work) => work()) };
}

const downlinkParser: UntrustedParser = {
  name: 'centre-answer',
  covers: [],
  source:
    'the centre, or who speaks in its name at the broker: acknowledgements, numbers asked for again, files asked for',
  form: 'json',
  pace: 'process',
  open: async (folder) => {
    const { outbox, sender } = openSender(folder);
    const clock = { nowMs: () => 1_763_000_000_000 };
    const { outboxId } = outbox;
    const requests = new UploadRequests({ want: () => false, clock, logger, onAsked: () => undefined });
    const ack = { ...(buildSchemaExample(Ack, { withOptional: true }) as Ack), outboxId };
    const resend = {
      ...(buildSchemaExample(ResendRequest, { withOptional: true }) as ResendRequest),
      outboxId,
    };
    return {
      samples: [ack, resend, buildSchemaExample(EvidenceRequest, { withOptional: true })].map(encode),
      parse: (input) => {
        requests.take(input);
        requests.next();
        let value: unknown;
        try {
          value = JSON.parse(Buffer.from(input).toString('utf8'));
        } catch (error) {
          if (error instanceof SyntaxError) return 'NOT_JSON';
          throw error;
        }
        // as the session reads its channels
        const isAck = findSchemaIssues(Ack, value, 1).length === 0;
        const isResend = findSchemaIssues(ResendRequest, value, 1).length === 0;
        if (isAck) sender.takeAck(value as Ack);
        if (isResend) sender.takeResend(value as ResendRequest);
        const isRequest = findSchemaIssues(EvidenceRequest, value, 1).length === 0;
        return isAck || isResend || isRequest ? undefined : 'MESSAGE_INVALID';
      },
      close: () => {
        sender.stop();
        outbox[Symbol.dispose]();
      },
    };
  },
};

/** A centre that answers with the input, whatever was asked. */
const answerParser: UntrustedParser = {
  name: 'upload-answer',
  covers: [],
  source: 'who stands between a node and the centre, or in its place',
  form: 'text',
  pace: 'process',
  open: async () => {
    let answer: Uint8Array = new Uint8Array();
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.once('data', () => socket.end(answer));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const body = JSON.stringify({ code: 'EVIDENCE_UNKNOWN', message: 'no manifest' });
    const told = `content-type: application/json\r\n${UPLOAD_PARTS_HEADER}: 0+65536=100,65536+10=10\r\n`;
    const whole = `HTTP/1.1 409 Conflict\r\n${told}content-length: ${body.length}\r\n\r\n${body}`;
    const chunked = `HTTP/1.1 200 OK\r\n${told}transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`;
    return {
      samples: [],
      variations: [Buffer.from(whole), Buffer.from(chunked)],
      parse: async (input, signal) => {
        answer = input;
        const target = new URL(`http://127.0.0.1:${port}/v1/uploads`);
        const exchange = { target, method: 'POST', token: 't', idleTimeoutMs: 5_000 } as const;
        const { headers } = await sendHttp(exchange, signal);
        const parts = headers[UPLOAD_PARTS_HEADER];
        if (typeof parts === 'string') decodeReceivedParts(parts);
        return undefined;
      },
      close: () => void server.close(),
    };
  },
};

export const UPLINK_PARSERS: readonly UntrustedParser[] = [downlinkParser, answerParser];
