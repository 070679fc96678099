import { randomInt } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import { generatePassword } from './password.ts';

/** RFC 6238 with the values that every authenticator app knows: SHA-1, six digits, 30 s. */
const PERIOD_S = 30;
/** Steps to either side that are taken, for clocks that are off (RFC 6238, 5.2). */
const WINDOW = 1;
/** 160 bits, as RFC 4226 section 4 asks for. */
const SECRET_BYTES = 20;
const RECOVERY_CODES = 10;
/** 16 of 31 characters: 79 bits, too many to guess even from their SHA-256. */
const RECOVERY_LENGTH = 16;

function totpOf(secret: string, username: string): TOTP {
  return new TOTP({
    issuer: 'ngatu',
    label: username,
    algorithm: 'SHA1',
    digits: 6,
    period: PERIOD_S,
    secret: Secret.fromBase32(secret),
  });
}

/** A new secret in base32. */
export function generateTotpSecret(): string {
  return new Secret({ size: SECRET_BYTES }).base32;
}

/** What an authenticator app reads from the picture. */
export function buildTotpUri(secret: string, username: string): string {
  return totpOf(secret, username).toString();
}

/** The time step that `code` belongs to, or undefined where it is none of now. */
export function findTotpStep(secret: string, code: string, nowMs: number): number | undefined {
  if (!/^\d{6}$/.test(code)) return undefined;
  const delta = totpOf(secret, '').validate({ token: code, timestamp: nowMs, window: WINDOW });
  return delta === null ? undefined : Math.floor(nowMs / 1_000 / PERIOD_S) + delta;
}

/** Ten codes for the day on which the telephone is lost, in groups of four for the eye. */
export function generateRecoveryCodes(pick: (n: number) => number = (n) => randomInt(n)): string[] {
  return Array.from({ length: RECOVERY_CODES }, () => {
    const code = generatePassword(pick, RECOVERY_LENGTH);
    return code.replace(/(.{4})(?=.)/g, '$1-');
  });
}

/** A recovery code as it is kept, from what somebody typed; undefined where it cannot be one. */
export function readRecoveryCode(typed: string): string | undefined {
  const plain = typed.toLowerCase().replace(/[\s-]/g, '');
  return plain.length === RECOVERY_LENGTH ? plain : undefined;
}
