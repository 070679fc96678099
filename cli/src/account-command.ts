import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { type AccessDesk, isRole, openAccessDesk, ROLES, type Role, resetPassword } from '@ngatu/cloud';
import { errorMessage, NgatuError } from '@ngatu/contract';
import { Command, InvalidArgumentError } from 'commander';
import { buildDataOption } from './option.ts';

interface DataOptions {
  readonly data: string;
}

interface TrustOptions extends DataOptions {
  readonly roles: Role[];
  readonly areas: string[] | 'all';
  readonly reason: string;
}

const ACTOR = `command line (${userInfo().username})`;
const DATA = 'data folder of `ngatu start`';
const DEFAULT_REASON = 'on the command line';

function readRoles(text: string): Role[] {
  const roles = text.split(',').map((name) => name.trim());
  if (!roles.every(isRole)) throw new InvalidArgumentError(`Expected some of ${ROLES.join(', ')}.`);
  return roles;
}

function readAreas(text: string): string[] | 'all' {
  return text === 'all' ? 'all' : text.split(',').map((name) => name.trim());
}

function centreFolder({ data }: DataOptions): string {
  return join(resolve(data), 'cloud');
}

/** `ngatu account`. */
export function buildCommand(): Command {
  const command = new Command('account').description('Looks after the accounts of the console.');
  addTrustCommands(command);
  addListCommand(command);
  addActCommands(command);
  addAreaCommand(command);
  return command;
}

function addTrustCommands(command: Command): void {
  const roles = `some of ${ROLES.join(', ')}, with commas between`;
  command
    .command('add')
    .description('make an account and print its password, which must be changed at the first sign-in')
    .argument('<username>', 'small letters, digits and . _ -')
    .requiredOption('--roles <list>', roles, readRoles)
    .requiredOption('--areas <list>', '"all", or areas with commas between', readAreas)
    .option('--reason <text>', 'why, for the audit trail', DEFAULT_REASON)
    .addOption(buildDataOption(DATA))
    .action(async (username: string, options: TrustOptions) => {
      using desk = openAccessDesk(centreFolder(options));
      const account = { username, roles: options.roles, areas: options.areas };
      const { password } = await desk.office.create(account, { actor: ACTOR, reason: options.reason });
      console.log(`user name: ${username}\npassword:  ${password}`);
    });
  command
    .command('set')
    .description('set the roles and areas of an account')
    .argument('<username>', 'the account')
    .requiredOption('--roles <list>', roles, readRoles)
    .requiredOption('--areas <list>', '"all", or areas with commas between', readAreas)
    .option('--reason <text>', 'why, for the audit trail', DEFAULT_REASON)
    .addOption(buildDataOption(DATA))
    .action((username: string, options: TrustOptions) => {
      using desk = openAccessDesk(centreFolder(options));
      const change = { username, roles: options.roles, areas: options.areas };
      desk.office.changeTrust(change, { actor: ACTOR, reason: options.reason });
    });
}

function describe(account: ReturnType<AccessDesk['listAccounts']>[number]): string {
  const { username, roles, areas, disabledAt, lockedUntil, totpSince, mustChangePassword } = account;
  const states = [
    disabledAt === undefined ? [] : ['disabled'],
    lockedUntil === undefined ? [] : [`locked until ${lockedUntil}`],
    totpSince === undefined ? [] : ['second factor'],
    mustChangePassword ? ['must change the password'] : [],
  ].flat();
  const where = areas === 'all' ? 'all areas' : areas.length === 0 ? 'no area' : areas.join(',');
  return [username, roles.join(','), where, ...states].join('  ');
}

function addListCommand(command: Command): void {
  command
    .command('list')
    .description('list the accounts with roles, areas and state')
    .addOption(buildDataOption(DATA))
    .action((options: DataOptions) => {
      using desk = openAccessDesk(centreFolder(options));
      for (const account of desk.listAccounts()) console.log(describe(account));
    });
}

function addActCommands(command: Command): void {
  const actions = {
    disable: 'let nobody sign in with an account, and end its sessions',
    enable: 'let an account sign in again',
    unlock: 'open the lock that wrong attempts have closed',
    'remove-second-factor':
      'take the second factor of an account away, where telephone and recovery codes are lost',
  } as const;
  for (const action of ['disable', 'enable', 'unlock', 'remove-second-factor'] as const) {
    command
      .command(action)
      .description(actions[action])
      .argument('<username>', 'the account')
      .option('--reason <text>', 'why, for the audit trail', DEFAULT_REASON)
      .addOption(buildDataOption(DATA))
      .action(async (username: string, options: DataOptions & { reason: string }) => {
        using desk = openAccessDesk(centreFolder(options));
        await desk.office.act(username, action, { actor: ACTOR, reason: options.reason });
      });
  }
  command
    .command('reset-password')
    .description('give an account a new random password, end its sessions and print the password')
    .argument('[username]', 'the account', 'admin')
    .addOption(buildDataOption(DATA))
    .action(async (username: string, options: DataOptions) => {
      const { password } = await resetPassword({ dataDir: centreFolder(options), username, actor: ACTOR });
      console.log(`user name: ${username}\npassword:  ${password}`);
    });
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new NgatuError('FILE_UNREADABLE', `Cannot read areas "${path}": ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

function addAreaCommand(command: Command): void {
  command
    .command('areas')
    .description('print the tree of areas as JSON, or put that of a file in its place')
    .option('--set <file>', 'JSON as this command prints it')
    .addOption(buildDataOption(DATA))
    .action(async (options: DataOptions & { set?: string }) => {
      using desk = openAccessDesk(centreFolder(options));
      if (options.set !== undefined) desk.replaceAreas(await readJson(options.set), ACTOR);
      else console.log(JSON.stringify({ areas: desk.listAreas() }, null, 2));
    });
}
