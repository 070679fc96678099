import { buildSchemaExample, type UntrustedParser } from '@ngatu/contract';
import { hashPassword } from '../account/password.ts';
import { ROLES } from '../account/role.ts';
import { anEvent, anEvidenceFile, openTestCentre, TEST_PASSWORD_COST } from '../api/api-test-centre.ts';
import { buildApi } from '../api/build-api.ts';
import { parseByteRange } from '../api/byte-range.ts';
import { parseInstant, parsePeriod } from '../api/request-validation.ts';
import {
  decodeToldRequest,
  encodeToldRequest,
  exchangeBytes,
  judgeAnswer,
  type ToldRequest,
} from './http-request.ts';

const encode = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
/** It never ends by itself. */
const STREAM = /\/stream\b/;

interface Operation {
  readonly parameters?: readonly { name: string; in: string; required?: boolean; schema: object }[];
  readonly requestBody?: { content?: Readonly<Record<string, { schema?: object }>> };
}

/** A request for each operation of the API's own description, with and without what may be left out. */
function listRequests(
  document: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>>,
): ToldRequest[] {
  const paths = document['paths'] as Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  const { schemas: refs = {} } = (document['components'] ?? {}) as { schemas?: Record<string, unknown> };
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, operation]) =>
      STREAM.test(path)
        ? []
        : [true, false].map((withOptional) =>
            buildRequest(path, method, operation, { withOptional, refs, headers }),
          ),
    ),
  );
}

function buildRequest(
  path: string,
  method: string,
  { parameters = [], requestBody }: Operation,
  options: {
    withOptional: boolean;
    refs: Record<string, unknown>;
    headers: Readonly<Record<string, string>>;
  },
): ToldRequest {
  const { headers, ...example } = options;
  let url = path;
  const query = new URLSearchParams();
  for (const { name, in: place, required, schema } of parameters) {
    const value = buildSchemaExample(schema, example);
    const words = (Array.isArray(value) ? value : [value]).map(String);
    if (place === 'path') url = url.replace(`{${name}}`, encodeURIComponent(words[0] ?? ''));
    else if (place === 'query' && (required === true || options.withOptional))
      for (const word of words) query.append(name, word);
  }
  const schema = requestBody?.content?.['application/json']?.schema;
  const body = schema === undefined ? '' : JSON.stringify(buildSchemaExample(schema, example));
  const search = query.toString();
  return {
    method: method.toUpperCase() as ToldRequest['method'],
    url: search === '' ? url : `${url}?${search}`,
    headers: body === '' ? headers : { ...headers, 'content-type': 'application/json' },
    body,
  };
}

/** A centre with two cases and somebody who may do everything. */
async function openCentre(folder: string) {
  const centre = await openTestCentre({ dataDir: folder });
  const bytes = Buffer.from('a still');
  for (const number of [1, 2]) {
    centre.commitEvent(anEvent(number));
    centre.commitManifest(anEvent(number), [anEvidenceFile(bytes)]);
  }
  await centre.storeFile(bytes);
  const { accounts, sessions } = centre.deps;
  const passwordHash = await hashPassword('a long password', TEST_PASSWORD_COST);
  accounts.createAccount({ username: 'fuzz', roles: [...ROLES], areas: 'all', passwordHash });
  const { token } = sessions.beginSession({ username: 'fuzz', method: 'oidc', address: '127.0.0.1' });
  const app = await buildApi(centre.deps);
  await app.ready();
  const headers = { cookie: `ngatu_session=${token}`, origin: 'http://127.0.0.1', host: '127.0.0.1' };
  const close = async (): Promise<void> => {
    await app.close();
    await centre[Symbol.asyncDispose]();
  };
  return { app, headers, close };
}

/** Those that end the session of the one who asks, or ask for much work: they are tried without it. */
const UNSIGNED = /\/session\b|\/password\b|\/sign-in\b|\/totp\b/;

const apiParser: UntrustedParser = {
  name: 'api-request',
  covers: [
    'cloud/src/api/session-guard.ts#readSessionToken',
    'cloud/src/store/series-request.ts#readRawPeriod',
    'cloud/src/store/series-request.ts#readSeriesPeriod',
    'cloud/src/store/series-request.ts#readSince',
  ],
  source: 'whoever reaches the API: path, query, cursor, headers, cookies, body',
  form: 'json',
  pace: 'process',
  open: async (folder) => {
    const { app, headers, close } = await openCentre(folder);
    const description = await app.inject({ url: '/api/openapi.json' });
    const document = JSON.parse(description.payload) as Record<string, unknown>;
    const { cookie: _, ...anonymous } = headers;
    const samples = listRequests(document, headers).map((request) =>
      UNSIGNED.test(request.url)
        ? { ...request, headers: { ...request.headers, cookie: anonymous.origin } }
        : request,
    );
    let asked = 0;
    return {
      // an example of a schema may name a case that is not there: the answer 404 is one
      samples: [],
      variations: samples.map(encode),
      parse: async (input) => {
        const request = decodeToldRequest(input);
        if (request === undefined || STREAM.test(request.url)) return 'NO_REQUEST';
        asked++;
        // another address each time, so that the limit of one address does not answer for the API
        const remoteAddress = `10.${(asked >> 16) & 255}.${(asked >> 8) & 255}.${asked & 255}`;
        const { method, url, headers: told, body } = request;
        const hasBody = method !== 'GET' && method !== 'HEAD' && body !== '';
        const answer = await app.inject({
          method,
          url,
          headers: told,
          remoteAddress,
          ...(hasBody ? { payload: body } : {}),
        });
        return judgeAnswer(answer.statusCode, answer.payload.slice(0, 2_000));
      },
      close,
    };
  },
};

const socketParser: UntrustedParser = {
  name: 'api-socket',
  covers: [],
  source: 'whoever reaches the port of the API',
  form: 'text',
  pace: 'process',
  open: async (folder) => {
    const { app, headers, close } = await openCentre(folder);
    await app.listen({ host: '127.0.0.1', port: 0 });
    const address = app.server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const get = encodeToldRequest({ method: 'GET', url: '/api/v1/session', headers, body: '' });
    const chunked =
      'POST /api/v1/session HTTP/1.1\r\nhost: 127.0.0.1\r\norigin: http://127.0.0.1\r\nconnection: close\r\n' +
      'content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"a":\r\n2\r\n1}\r\n0\r\n\r\n';
    let asked = 0;
    return {
      samples: [],
      variations: [get, Buffer.from(chunked)],
      parse: async (input) => {
        if (STREAM.test(Buffer.from(input).toString('latin1'))) return 'NO_REQUEST';
        asked++;
        // another address each time, so that the limit of one address does not answer for the API
        const address = `127.${1 + ((asked >> 16) & 63)}.${(asked >> 8) & 255}.${1 + (asked & 127)}`;
        const { status, text } = await exchangeBytes(port, input, address);
        return judgeAnswer(status, text);
      },
      close,
    };
  },
};

const rangeParser: UntrustedParser = {
  name: 'byte-range',
  covers: ['cloud/src/api/byte-range.ts#parseByteRange'],
  source: 'a browser',
  form: 'text',
  pace: 'process',
  open: async () => ({
    samples: ['bytes=0-99', 'bytes=-500', 'bytes=900-', 'bytes=0-0,5-9'].map((text) => Buffer.from(text)),
    parse: (input) => {
      for (const sizeBytes of [0, 1, 1_000]) {
        const range = parseByteRange(Buffer.from(input).toString('latin1'), sizeBytes);
        if (range.kind !== 'part') continue;
        if (!(range.start >= 0 && range.start <= range.end && range.end < sizeBytes))
          throw new RangeError('a part outside the file');
      }
      return undefined;
    },
  }),
};

const periodParser: UntrustedParser = {
  name: 'api-period',
  covers: [
    'cloud/src/api/request-validation.ts#parsePeriod',
    'cloud/src/api/request-validation.ts#parseInstant',
  ],
  source: 'a browser',
  form: 'text',
  pace: 'process',
  open: async () => ({
    samples: [Buffer.from('2025-11-22T03:00:00.000Z 2025-11-22T04:00:00.000Z')],
    parse: (input) => {
      const [from = '', to = ''] = Buffer.from(input).toString('utf8').split(' ');
      const { fromMs, toMs } = parsePeriod({ from, to, now: 0, defaultMs: 1, maxMs: 86_400_000 });
      if (!(fromMs < toMs && Number.isFinite(parseInstant(from, '/from')))) throw new RangeError('no period');
      return undefined;
    },
  }),
};

export const API_PARSERS: readonly UntrustedParser[] = [apiParser, socketParser, rangeParser, periodParser];
