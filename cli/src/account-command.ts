import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { resetPassword } from '@ngatu/cloud';
import { Command } from 'commander';
import { buildDataOption } from './option.ts';

/** `ngatu account reset-password`. */
export function buildCommand(): Command {
  const command = new Command('account').description('Looks after the local accounts of the console.');
  command
    .command('reset-password')
    .description('give an account a new random password, end its sessions and print the password')
    .argument('[username]', 'the account', 'admin')
    .addOption(buildDataOption('data folder of `ngatu start`'))
    .action(async (username: string, options: { data: string }) => {
      const dataDir = join(resolve(options.data), 'cloud');
      const { password } = await resetPassword({
        dataDir,
        username,
        actor: `command line (${userInfo().username})`,
      });
      console.log(`user name: ${username}\npassword:  ${password}`);
    });
  return command;
}
