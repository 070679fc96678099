import type { AccessPolicy } from '../../src/account/access-policy.ts';
import type {
  AccountActRequest,
  AccountAnswer,
  AccountCreate,
  AccountEntry,
  AccountList,
  AccountUpdate,
  AreaList,
  AuditList,
  AuditVerification,
  OwnAccount,
  RecoveryCodes,
  TotpStart,
} from '../../src/api/account-schema.ts';
import { buildQuery, call } from './api-client.ts';

export type Areas = AreaList['areas'];

export function fetchOwnAccount(): Promise<OwnAccount> {
  return call<OwnAccount>('GET', '/account');
}

export function changePassword(current: string, next: string): Promise<void> {
  return call<void>('PUT', '/account/password', { body: { current, next } });
}

export function beginTotp(password: string): Promise<TotpStart> {
  return call<TotpStart>('POST', '/account/totp', { body: { password } });
}

export async function confirmTotp(code: string): Promise<readonly string[]> {
  return (await call<RecoveryCodes>('POST', '/account/totp/confirm', { body: { code } })).recoveryCodes;
}

export function removeTotp(password: string): Promise<void> {
  return call<void>('POST', '/account/totp/remove', { body: { password } });
}

export function endOwnSession(sessionId: string): Promise<void> {
  return call<void>('DELETE', `/account/sessions/${sessionId}`);
}

export async function fetchAccounts(): Promise<readonly AccountEntry[]> {
  return (await call<AccountList>('GET', '/accounts')).items;
}

export function createAccount(body: AccountCreate): Promise<AccountAnswer> {
  return call<AccountAnswer>('POST', '/accounts', { body });
}

export function updateAccount(username: string, body: AccountUpdate): Promise<AccountAnswer> {
  return call<AccountAnswer>('PUT', `/accounts/${encodeURIComponent(username)}`, { body });
}

export function actOnAccount(username: string, body: AccountActRequest): Promise<AccountAnswer> {
  return call<AccountAnswer>('POST', `/accounts/${encodeURIComponent(username)}/actions`, { body });
}

export async function fetchAreas(): Promise<Areas> {
  return (await call<AreaList>('GET', '/areas')).areas;
}

export async function replaceAreas(areas: Areas, reason: string): Promise<Areas> {
  return (await call<AreaList>('PUT', '/areas', { body: { areas, reason } })).areas;
}

export function fetchPolicy(): Promise<AccessPolicy> {
  return call<AccessPolicy>('GET', '/policy');
}

export function replacePolicy(policy: AccessPolicy, reason: string): Promise<AccessPolicy> {
  return call<AccessPolicy>('PUT', '/policy', { body: { policy, reason } });
}

export interface AuditSearch {
  readonly actor?: string;
  readonly action?: string;
  readonly target?: string;
  readonly from?: string;
  readonly to?: string;
  readonly before?: number;
  readonly limit: number;
}

export async function fetchAudit(search: AuditSearch): Promise<AuditList['items']> {
  return (await call<AuditList>('GET', `/audit${buildQuery({ ...search })}`)).items;
}

export function verifyAudit(): Promise<AuditVerification> {
  return call<AuditVerification>('GET', '/audit/verification');
}
