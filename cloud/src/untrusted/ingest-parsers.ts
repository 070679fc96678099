import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  buildEvidenceGonePath,
  buildEvidencePath,
  buildSchemaExample,
  buildUploadPartId,
  EvidenceGone,
  type UntrustedParser,
  UPLOAD_PATH,
} from '@ngatu/contract';
import { pino } from 'pino';
import { loadOidcSettings, OidcSettings } from '../account/oidc-settings.ts';
import { generateRecoveryCodes, readRecoveryCode } from '../account/second-factor.ts';
import { anEvent, anEvidenceFile, openTestCentre } from '../api/api-test-centre.ts';
import { buildIngestHttp } from '../ingestor/ingest-http.ts';
import { UploadDesk } from '../ingestor/upload-desk.ts';
import { UploadParts } from '../ingestor/upload-parts.ts';
import {
  buildPrivacyPolicyPath,
  DEFAULT_PRIVACY_POLICY,
  loadPrivacyPolicy,
} from '../privacy/privacy-policy.ts';
import { decodeTagValue, encodeTagValue } from '../store/influx-series-text.ts';
import { loadSeriesSettings } from '../store/series-settings.ts';
import {
  decodeToldRequest,
  encodeToldRequest,
  exchangeBytes,
  judgeAnswer,
  type ToldRequest,
} from './http-request.ts';

const TOKEN = 'node-token';
const AT = '2025-11-22T03:00:00.000Z';

/** What a node and the other processes of the centre ask, for a file of these bytes. */
function listRequests(file: Buffer): ToldRequest[] {
  const sha256 = createHash('sha256').update(file).digest('hex');
  const headers = { authorization: `Bearer ${TOKEN}`, 'tus-resumable': '1.0.0' };
  const json = { ...headers, 'content-type': 'application/json' };
  const id = buildUploadPartId({ sha256, start: 0, length: file.length });
  const encoded = (text: string): string => Buffer.from(text).toString('base64');
  const metadata = `sha256 ${encoded(sha256)},start ${encoded('0')}`;
  const offset = { 'content-type': 'application/offset+octet-stream', 'upload-offset': '0' };
  const creation = { ...headers, 'upload-length': String(file.length), 'upload-metadata': metadata };
  const query = {
    metric: 'count',
    from: AT,
    to: '2025-11-22T04:00:00.000Z',
    stepMs: 60_000,
    aggregate: 'sum',
  };
  const gone = JSON.stringify(buildSchemaExample(EvidenceGone, { withOptional: true }));
  const body = file.toString('latin1');
  const empty = { headers, body: '' } as const;
  return [
    { method: 'HEAD', url: buildEvidencePath(sha256), ...empty },
    { method: 'POST', url: UPLOAD_PATH, headers: creation, body: '' },
    { method: 'POST', url: UPLOAD_PATH, headers: { ...creation, ...offset }, body },
    { method: 'HEAD', url: `${UPLOAD_PATH}/${id}`, ...empty },
    { method: 'PATCH', url: `${UPLOAD_PATH}/${id}`, headers: { ...headers, ...offset }, body },
    { method: 'POST', url: buildEvidenceGonePath(sha256), headers: json, body: gone },
    { method: 'POST', url: '/internal/series/query', headers: json, body: JSON.stringify(query) },
    { method: 'POST', url: '/internal/series/points', headers: json, body: JSON.stringify({ points: [] }) },
    { method: 'GET', url: '/healthz', ...empty },
  ];
}

const uploadParser: UntrustedParser = {
  name: 'ingest-request',
  covers: [
    'contract/src/evidence-request.ts#parseUploadPartId',
    'contract/src/evidence-request.ts#decodeReceivedParts',
  ],
  source: 'a node, or who has its token: headers, ranges and bytes of uploads, series, health',
  form: 'json',
  pace: 'process',
  open: async (folder) => {
    const file = Buffer.from('the bytes of a still');
    const centre = await openTestCentre({ dataDir: folder });
    centre.commitEvent(anEvent(1));
    centre.commitManifest(anEvent(1), [anEvidenceFile(file)]);
    const { events, deps } = centre;
    const logger = pino({ level: 'silent' });
    const clock = { nowMs: () => centre.clock.nowMs };
    const uploadParts = await UploadParts.open(join(folder, 'parts'));
    const desk = new UploadDesk({ events, evidence: deps.evidence, parts: uploadParts, logger, clock });
    const app = buildIngestHttp({
      ...{ events, series: deps.series, desk, uploadParts, logger, clock },
      ...{ nodeToken: TOKEN, internalToken: TOKEN },
      readHealth: () => ({ ok: true }),
    });
    await app.listen({ host: '127.0.0.1', port: 0 });
    const address = app.server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    return {
      samples: [],
      variations: listRequests(file).map((request) => Buffer.from(JSON.stringify(request))),
      parse: async (input) => {
        const request = decodeToldRequest(input);
        if (request === undefined) return 'NO_REQUEST';
        const { status, text } = await exchangeBytes(port, encodeToldRequest(request));
        return judgeAnswer(status, text);
      },
      close: async () => {
        await app.close();
        await centre[Symbol.asyncDispose]();
      },
    };
  },
};

const policyParser: UntrustedParser = {
  name: 'privacy-policy',
  covers: ['cloud/src/privacy/privacy-policy.ts#loadPrivacyPolicy'],
  source: 'whoever writes the centre’s policy of retention',
  form: 'json',
  pace: 'process',
  open: async (folder) => ({
    samples: [Buffer.from(JSON.stringify(DEFAULT_PRIVACY_POLICY))],
    parse: (input) => {
      writeFileSync(buildPrivacyPolicyPath(folder), input);
      loadPrivacyPolicy(folder);
      return undefined;
    },
  }),
};

const oidcParser: UntrustedParser = {
  name: 'oidc-settings',
  covers: ['cloud/src/account/oidc-settings.ts#loadOidcSettings'],
  source: 'whoever writes the centre’s settings of single sign-on',
  form: 'json',
  pace: 'process',
  open: async (folder) => {
    const example = buildSchemaExample(OidcSettings, { withOptional: true }) as object;
    const settings = { ...example, issuer: 'https://127.0.0.1/realm' };
    return {
      samples: [Buffer.from(JSON.stringify(settings))],
      parse: (input) => {
        writeFileSync(join(folder, 'oidc.json'), input);
        loadOidcSettings(folder);
        return undefined;
      },
    };
  },
};

const seriesParser: UntrustedParser = {
  name: 'series-settings',
  covers: ['cloud/src/store/series-settings.ts#loadSeriesSettings'],
  source: 'whoever writes the centre’s settings of the time series',
  form: 'json',
  pace: 'process',
  open: async (folder) => {
    const influx = { url: 'http://127.0.0.1:8086', database: 'ngatu', username: 'ngatu' };
    const settings = { version: 1, influx: { ...influx, password: { file: 'password' } } };
    writeFileSync(join(folder, 'password'), 'secret');
    return {
      samples: [Buffer.from(JSON.stringify(settings))],
      parse: (input) => {
        writeFileSync(join(folder, 'series.json'), input);
        loadSeriesSettings(folder);
        return undefined;
      },
    };
  },
};

/** What a tag carried is read back from what the store answers. */
const tagParser: UntrustedParser = {
  name: 'series-tag',
  covers: ['cloud/src/store/influx-series-text.ts#decodeTagValue'],
  source: 'a node that names its tags as it likes, by way of InfluxDB',
  form: 'text',
  pace: 'process',
  open: async () => ({
    samples: ['gate-1', '%0a%5c', 'Ngã tư 100 %', '%'].map((text) => Buffer.from(text)),
    parse: (input) => {
      const text = Buffer.from(input).toString('utf8');
      decodeTagValue(text);
      if (decodeTagValue(encodeTagValue(text)) !== text) throw new Error('a tag came back as another one');
      return undefined;
    },
  }),
};

const codeParser: UntrustedParser = {
  name: 'recovery-code',
  covers: ['cloud/src/account/second-factor.ts#readRecoveryCode'],
  source: 'whoever signs in',
  form: 'text',
  pace: 'process',
  open: async () => ({
    samples: generateRecoveryCodes((count) => count >> 1)
      .slice(0, 2)
      .map((code) => Buffer.from(code)),
    parse: (input) => {
      // as long as the schema of the request lets it be
      const typed = Buffer.from(input).toString('utf8').slice(0, 256);
      return readRecoveryCode(typed) === undefined ? 'NO_CODE' : undefined;
    },
  }),
};

export const INGEST_PARSERS: readonly UntrustedParser[] = [
  uploadParser,
  policyParser,
  oidcParser,
  seriesParser,
  tagParser,
  codeParser,
];
