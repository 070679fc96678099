import { Type } from '@sinclair/typebox';
import type { FastifyRequest } from 'fastify';
import type { AccessPolicy } from '../account/access-policy.ts';
import { AccountOffice } from '../account/account-office.ts';
import type { AccountRecord } from '../account/account-store.ts';
import { MAY } from '../account/permission.ts';
import {
  AccountActRequest,
  AccountAnswer,
  AccountCreate,
  type AccountEntry,
  AccountList,
  AccountParams,
  AccountUpdate,
  AreaList,
  AreaReplace,
  PolicyReplace,
} from './account-schema.ts';
import type { ApiApp, ApiDeps } from './api-app.ts';
import { readReason } from './reason.ts';
import { refusals } from './refusal-schema.ts';
import { requireSession } from './session-guard.ts';

const PolicyRef = Type.Unsafe<AccessPolicy>({ $ref: 'AccessPolicy#' });
/** A tree of areas names every site of a province. */
const AREA_BODY_BYTES = 1024 * 1024;

function describeAccount(account: AccountRecord): AccountEntry {
  const { roles, areas, ...rest } = account;
  return { ...rest, roles: [...roles], areas: areas === 'all' ? 'all' : [...areas] };
}

function officeRequest(
  request: FastifyRequest,
  reason: string,
): { actor: string; reason: string; address: string } {
  return { actor: requireSession(request).username, reason: readReason(reason), address: request.ip };
}

function addListRoute(app: ApiApp, { accounts, audit }: ApiDeps): void {
  app.get(
    '/accounts',
    {
      config: { access: MAY.readAccounts },
      schema: {
        summary: 'Who may sign in, with which roles and areas; the reading is recorded',
        tags: ['accounts'],
        response: { 200: AccountList, ...refusals(401, 403) },
      },
    },
    async (request) => {
      const { username } = requireSession(request);
      audit.append({ actor: username, action: 'accounts-read', address: request.ip });
      return { items: accounts.listAccounts().map(describeAccount) };
    },
  );
}

function addChangeRoutes(app: ApiApp, office: AccountOffice, { accounts }: ApiDeps): void {
  app.post(
    '/accounts',
    {
      config: { access: MAY.governAccounts },
      schema: {
        summary: 'Make an account; its password is shown once and must be changed',
        tags: ['accounts'],
        body: AccountCreate,
        response: { 201: AccountAnswer, ...refusals(400, 401, 403, 409) },
      },
    },
    async (request, reply) => {
      const { reason, ...account } = request.body;
      const { password } = await office.create(account, officeRequest(request, reason));
      const made = accounts.findAccount(account.username);
      if (made === undefined) throw new Error('an account that was made is gone');
      return reply.status(201).send({ account: describeAccount(made), password });
    },
  );
  app.put(
    '/accounts/:username',
    {
      config: { access: MAY.governAccounts },
      schema: {
        summary: 'Set the roles and areas of an account',
        tags: ['accounts'],
        params: AccountParams,
        body: AccountUpdate,
        response: { 200: AccountAnswer, ...refusals(400, 401, 403, 404) },
      },
    },
    async (request) => {
      const { reason, ...trust } = request.body;
      const change = { username: request.params.username, ...trust };
      return { account: describeAccount(office.changeTrust(change, officeRequest(request, reason))) };
    },
  );
  app.post(
    '/accounts/:username/actions',
    {
      config: { access: MAY.governAccounts },
      schema: {
        summary: 'Disable, enable or unlock an account, reset its password, remove its second factor',
        tags: ['accounts'],
        params: AccountParams,
        body: AccountActRequest,
        response: { 200: AccountAnswer, ...refusals(400, 401, 403, 404) },
      },
    },
    async (request) => {
      const { action, reason } = request.body;
      const done = await office.act(request.params.username, action, officeRequest(request, reason));
      return { ...done, account: describeAccount(done.account) };
    },
  );
}

function addAreaRoutes(app: ApiApp, { accounts, areas, audit }: ApiDeps): void {
  app.get(
    '/areas',
    {
      config: { access: MAY.readAccounts },
      schema: {
        summary: 'The tree of areas with their sites',
        tags: ['accounts'],
        response: { 200: AreaList, ...refusals(401, 403) },
      },
    },
    async () => ({ areas: areas.list() }),
  );
  app.put(
    '/areas',
    {
      bodyLimit: AREA_BODY_BYTES,
      config: { access: MAY.governAccounts },
      schema: {
        summary: 'Put another tree of areas in the place of this one',
        tags: ['accounts'],
        body: AreaReplace,
        response: { 200: AreaList, ...refusals(400, 401, 403) },
      },
    },
    async (request) => {
      const who = officeRequest(request, request.body.reason);
      accounts.transact(() => {
        areas.replace(request.body.areas);
        audit.append({
          ...who,
          action: 'areas-change',
          detail: JSON.stringify(request.body.areas).slice(0, 4_000),
        });
      });
      return { areas: areas.list() };
    },
  );
}

function addPolicyRoutes(app: ApiApp, { accounts, policy, audit }: ApiDeps): void {
  app.get(
    '/policy',
    {
      config: { access: MAY.readAccounts },
      schema: {
        summary: 'What the centre asks of those who sign in',
        tags: ['accounts'],
        response: { 200: PolicyRef, ...refusals(401, 403) },
      },
    },
    async () => policy.read(),
  );
  app.put(
    '/policy',
    {
      config: { access: MAY.governAccounts },
      schema: {
        summary: 'Set what the centre asks of those who sign in',
        tags: ['accounts'],
        body: PolicyReplace,
        response: { 200: PolicyRef, ...refusals(400, 401, 403) },
      },
    },
    async (request) => {
      const who = officeRequest(request, request.body.reason);
      accounts.transact(() => {
        policy.replace(request.body.policy);
        audit.append({ ...who, action: 'policy-change', detail: JSON.stringify(request.body.policy) });
      });
      return policy.read();
    },
  );
}

/** Accounts, areas and policy: for administrators, and for auditors to read. */
export function addAccountRoutes(app: ApiApp, deps: ApiDeps): void {
  const office = new AccountOffice(deps, deps.passwordCost);
  addListRoute(app, deps);
  addChangeRoutes(app, office, deps);
  addAreaRoutes(app, deps);
  addPolicyRoutes(app, deps);
}
