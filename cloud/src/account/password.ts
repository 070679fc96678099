import { randomInt } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';

/** Memory in KiB, passes, lanes. */
export interface Argon2Cost {
  readonly memoryCost: number;
  readonly timeCost: number;
  readonly parallelism: number;
}

/** OWASP password storage cheat sheet (2024): argon2id with m = 19 MiB, t = 2, p = 1. argon2id is the library's default. */
export const ARGON2_COST: Argon2Cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Without look-alikes (0 o, 1 l i), so that it can be read out over a telephone. */
const READABLE = '23456789abcdefghjkmnpqrstuvwxyz';
const GENERATED_LENGTH = 20;

/** argon2id hash in PHC form with its own salt. */
export function hashPassword(password: string, cost: Argon2Cost = ARGON2_COST): Promise<string> {
  return hash(password, cost);
}

export function verifyPassword(passwordHash: string, password: string): Promise<boolean> {
  return verify(passwordHash, password);
}

/** `length` readable characters (20: 99 bits). `pick(n)` gives an integer in [0, n). */
export function generatePassword(
  pick: (n: number) => number = (n) => randomInt(n),
  length: number = GENERATED_LENGTH,
): string {
  return Array.from({ length }, () => READABLE[pick(READABLE.length)]).join('');
}
