import cookie from '@fastify/cookie';
import rateLimit from '@fastify/rate-limit';
import fastifyStatic from '@fastify/static';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { NgatuError, SCHEMA_VERSION } from '@ngatu/contract';
import Fastify, { type FastifyBaseLogger, LogController } from 'fastify';
import { SignIn } from '../account/sign-in.ts';
import { addAccountRoutes } from './account-route.ts';
import { ACCOUNT_SCHEMAS } from './account-schema.ts';
import type { ApiApp, ApiDeps } from './api-app.ts';
import { answerError, answerNotFound } from './api-error.ts';
import { SHARED_SCHEMAS } from './api-schema.ts';
import { addAuditRoutes } from './audit-route.ts';
import { addDeliveryRoutes } from './delivery-route.ts';
import { addDirectiveRoutes } from './directive-route.ts';
import { addEventRoutes } from './event-route.ts';
import { addEventStreamRoute } from './event-stream-route.ts';
import { addEvidenceRoute } from './evidence-route.ts';
import { addExportRoute } from './export-route.ts';
import { addFleetRoutes } from './fleet-route.ts';
import { addOidcRoutes } from './oidc-route.ts';
import { addOpeningRoutes } from './opening-route.ts';
import { addOriginalRoutes } from './original-route.ts';
import { addOwnAccountRoutes } from './own-account-route.ts';
import { addPlateRoutes } from './plate-route.ts';
import { PLATE_SCHEMAS } from './plate-schema.ts';
import { compileValidator } from './request-validation.ts';
import { addRetentionRoutes } from './retention-route.ts';
import { addScreeningRoutes } from './screening-route.ts';
import { SCREENING_SCHEMAS } from './screening-schema.ts';
import { addSecurityHeaders, DOCUMENTATION_POLICY } from './security-header.ts';
import { addSeriesRoute } from './series-route.ts';
import { guardSessions } from './session-guard.ts';
import { addSessionRoutes } from './session-route.ts';

/** The largest body is a decision of 500 characters. */
const BODY_LIMIT_BYTES = 16 * 1024;
/** Requests of one address a minute: a page of thumbnails every second stays below it. */
const REQUESTS_PER_MINUTE = 6_000;

function openApp(logger: FastifyBaseLogger, publicUrl: string | undefined): ApiApp {
  const app = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: 30_000,
    // Behind a proxy on this machine the address of whoever asks is what the proxy says.
    trustProxy: publicUrl === undefined ? false : 'loopback',
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 128 },
    frameworkErrors: (error, request, reply) => answerError(error, request, reply),
    clientErrorHandler: (_error, socket) => {
      const body = '{"code":"REQUEST_INVALID","message":"Cannot read the request: it is not HTTP"}';
      if (!socket.writable) return void socket.destroy();
      socket.end(
        `HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
      );
    },
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.setValidatorCompiler(compileValidator);
  app.setErrorHandler(answerError);
  app.setNotFoundHandler(answerNotFound);
  return app;
}

async function addDocumentation(app: ApiApp): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'ngatu',
        version: String(SCHEMA_VERSION),
        description:
          'Events, decisions, evidence and camera health. Every refusal is `{code, message, details?}`.',
      },
      components: { securitySchemes: { session: { type: 'apiKey', in: 'cookie', name: 'ngatu_session' } } },
      security: [{ session: [] }],
    },
    refResolver: {
      buildLocalReference: (json, _base, _fragment, index) => String(json['$id'] ?? `schema-${index}`),
    },
  });
  await app.register(swaggerUi, { routePrefix: '/api/docs', staticCSP: DOCUMENTATION_POLICY });
  app.get('/api/openapi.json', { schema: { hide: true } }, async (_request, reply) =>
    reply.type('application/json; charset=utf-8').send(JSON.stringify(app.swagger())),
  );
}

async function addConsole(app: ApiApp, consoleDir: string): Promise<void> {
  await app.register(fastifyStatic, {
    root: consoleDir,
    wildcard: false,
    cacheControl: false,
    setHeaders: (reply, path) => {
      // The names of the assets carry the digest of their content.
      const isNamedByContent = path.includes('/assets/');
      reply.setHeader('cache-control', isNamedByContent ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
}

/**
 * The API and the console as one app that can be injected or listened with. Closing it ends the live streams; `deps`
 * stay open.
 */
export async function buildApi(deps: ApiDeps): Promise<ApiApp> {
  const app = openApp(deps.logger, deps.publicUrl);
  addSecurityHeaders(app);
  await app.register(cookie);
  await app.register(rateLimit, {
    max: REQUESTS_PER_MINUTE,
    timeWindow: 60_000,
    errorResponseBuilder: (_request, { ttl }) =>
      new NgatuError('RATE_LIMITED', `Too many requests; try again in ${Math.ceil(ttl / 1_000)} s`, {
        retryable: true,
      }),
  });
  const schemas = [...PLATE_SCHEMAS, ...SHARED_SCHEMAS, ...ACCOUNT_SCHEMAS, ...SCREENING_SCHEMAS];
  for (const schema of schemas) app.addSchema(schema);
  await addDocumentation(app);
  await app.register(
    async (scope) => {
      const api = scope.withTypeProvider<TypeBoxTypeProvider>();
      guardSessions(api, deps);
      const gate = new SignIn(deps);
      addSessionRoutes(api, deps, gate);
      addOidcRoutes(api, deps);
      addOwnAccountRoutes(api, deps, gate);
      addAccountRoutes(api, deps);
      addAuditRoutes(api, deps);
      addEventRoutes(api, deps);
      addEventStreamRoute(api, deps);
      addEvidenceRoute(api, deps);
      addOpeningRoutes(api, deps);
      addPlateRoutes(api, deps);
      addRetentionRoutes(api, deps);
      addOriginalRoutes(api, deps);
      addExportRoute(api, deps);
      addFleetRoutes(api, deps);
      addDeliveryRoutes(api, deps);
      addSeriesRoute(api, deps);
      addDirectiveRoutes(api, deps);
      addScreeningRoutes(api, deps);
    },
    { prefix: '/api/v1' },
  );
  if (deps.consoleDir !== undefined) await addConsole(app, deps.consoleDir);
  return app;
}
