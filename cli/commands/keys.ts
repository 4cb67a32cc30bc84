import { type Command, Option } from '@commander-js/extra-typings';
import * as routes from '../../functions/routes.ts';
import { flat } from '../api.ts';
import { ABSENT, createTable, day, printBlock } from '../print.ts';
import { common, type Host, PAGE, toolsOf } from '../tools.ts';

const ROLES = ['admin', 'editor', 'viewer', 'runtime'] as const;

/** `fm keys …` */
export function addKeys(program: Command, host: Host): void {
  const keys = program.command('keys').description('make and revoke API keys');
  addCreate(keys, host);
  addList(keys, host);
  addRevoke(keys, host);
}

function addCreate(keys: Command, host: Host): void {
  common(keys.command('create').argument('<name>'))
    .description('make an API key and print it, this once')
    .addOption(new Option('--role <role>', 'what it may do').choices(ROLES).makeOptionMandatory())
    .option('--subject <who>', 'who it stands for in records, for example a mail address')
    .option('--pipeline <id...>', 'bound to these pipelines')
    .option('--env <environment...>', 'bound to these environments')
    .option('--expires-at <time>', 'when it ends, like 2026-12-31T00:00:00Z')
    .action(async (name, options) => {
      const { api, terminal, json } = toolsOf(host, options);
      const created = await api.call(routes.createApiKey, {
        name,
        role: options.role,
        subject: options.subject,
        pipelines: options.pipeline,
        environments: options.env,
        expires_at: options.expiresAt,
      });
      if (json) return terminal.printJson(created);
      printBlock(terminal, [
        ['id', created.id],
        ['name', created.name],
        ['role', created.role],
        ['api_key', created.api_key],
      ]);
      terminal.note('The key is shown this once: keep it where only its user can read it.');
    });
}

function addList(keys: Command, host: Host): void {
  common(keys.command('list'))
    .description('list the API keys, newest first, without the keys themselves')
    .action(async (options) => {
      const { api, terminal, json } = toolsOf(host, options);
      const pages = api.pages(routes.listApiKeys, { limit: PAGE });
      if (json) return terminal.printJson(await Array.fromAsync(flat(pages)));
      const table = createTable(terminal, [
        'ID',
        'NAME',
        'ROLE',
        'CREATED',
        'LAST_USED',
        'EXPIRES',
        'REVOKED',
        'BOUND_TO',
      ]);
      for await (const page of pages) {
        table.add(
          page.map((key) => {
            const bounds = [...(key.pipelines ?? []), ...(key.environments ?? [])].join(',') || ABSENT;
            const days = [key.created_at, key.last_used_at, key.expires_at, key.revoked_at].map(day);
            return [key.id, key.name, key.role, ...days, bounds];
          }),
        );
      }
      table.end();
    });
}

function addRevoke(keys: Command, host: Host): void {
  common(keys.command('revoke').argument('<id>'))
    .description('end an API key, and the runs that it started')
    .action(async (id, options) => {
      const { api, terminal, json } = toolsOf(host, options);
      await api.call(routes.revokeApiKey, { id });
      if (!json) terminal.print(`${id} is revoked.`);
    });
}
