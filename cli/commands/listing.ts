import type { Command } from '@commander-js/extra-typings';
import * as routes from '../../functions/routes.ts';
import type { SecretMetadata } from '../../shared/contract/secrets.ts';
import { flat } from '../api.ts';
import { ABSENT, createTable, day, moment } from '../print.ts';
import { common, type Host, numberOf, PAGE, selecting, selectorOf, toolsOf } from '../tools.ts';

/** `fm secrets list | history` */
export function addListing(secrets: Command, host: Host): void {
  addList(secrets, host);
  addHistory(secrets, host);
}

const COLUMNS = ['NAME', 'SCOPE', 'CREATED', 'LAST_ROTATED'];
const WIDE_COLUMNS = ['ENVIRONMENT', 'OWNER', 'VERSION', 'NEXT_ROTATION'];

function addList(secrets: Command, host: Host): void {
  selecting(common(secrets.command('list')))
    .description('list secrets by name')
    .option('--prefix <text>', 'names that begin with this')
    .option('--due-within-days <days>', 'to be rotated within so many days')
    .option('--unread-days <days>', 'not resolved for so many days')
    .option('--never-read', 'never resolved')
    .option('--deleted', 'what was deleted and can be restored')
    .option('--wide', 'show environment, owner, version and next rotation too')
    .action(async (options) => {
      const { api, terminal, json } = toolsOf(host, options);
      const pages = api.pages(routes.listSecrets, {
        ...selectorOf(options),
        prefix: options.prefix,
        due_within_days: numberOf('--due-within-days', options.dueWithinDays),
        unread_days: numberOf('--unread-days', options.unreadDays),
        ...(options.neverRead === true ? { never_read: 'true' } : {}),
        ...(options.deleted === true ? { deleted: 'true' } : {}),
        limit: PAGE,
      });
      if (json) return terminal.printJson(await Array.fromAsync(flat(pages)));
      const isWide = options.wide === true;
      const table = createTable(terminal, isWide ? [...COLUMNS, ...WIDE_COLUMNS] : COLUMNS);
      for await (const page of pages) table.add(page.map((secret) => rowOf(secret, isWide)));
      table.end();
    });
}

function rowOf(secret: SecretMetadata, isWide: boolean): string[] {
  const row = [secret.name, secret.scope, day(secret.created_at), day(secret.last_rotated)];
  if (!isWide) return row;
  const owner = secret.pipeline_id ?? secret.user ?? ABSENT;
  return [...row, secret.environment ?? ABSENT, owner, String(secret.version), day(secret.next_rotation_at)];
}

function addHistory(secrets: Command, host: Host): void {
  selecting(common(secrets.command('history').argument('<name>')))
    .description('the versions of a secret, newest first')
    .action(async (name, options) => {
      const { api, terminal, json } = toolsOf(host, options);
      const pages = api.pages(routes.secretHistory, { name, ...selectorOf(options), limit: PAGE });
      if (json) return terminal.printJson(await Array.fromAsync(flat(pages)));
      const table = createTable(terminal, ['VERSION', 'ROTATED_AT', 'BY', 'REASON']);
      for await (const page of pages) {
        table.add(
          page.map(({ version, current, rotated_at, rotated_by, reason }) => {
            return [`${version}${current ? ' *' : ''}`, moment(rotated_at), rotated_by, reason];
          }),
        );
      }
      table.end();
    });
}
