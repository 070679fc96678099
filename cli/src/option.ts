import { join } from 'node:path';
import { findRepositoryRoot } from '@ngatu/models';
import { InvalidArgumentError, Option } from 'commander';

/** Reads the value of an option that is a port: 0 to 65535. */
export function readPort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new InvalidArgumentError('Expected a port from 0 to 65535.');
  return port;
}

/** Reads the value of an option that is a whole number from 0. */
export function readCount(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Expected a whole number.');
  return Number(text);
}

/** Reads the value of an option that is a share: 0 to 1. */
export function readShare(text: string): number {
  const share = Number(text);
  if (text.trim() === '' || !(share >= 0 && share <= 1))
    throw new InvalidArgumentError('Expected a share from 0 to 1.');
  return share;
}

/** `--data` of a command that works on the folder of `ngatu start`. The help names it as people see it, on every machine. */
export function buildDataOption(description: string): Option {
  const folder = join(findRepositoryRoot(), '.ngatu');
  return new Option('--data <folder>', description).default(folder, '.ngatu in the checkout');
}
