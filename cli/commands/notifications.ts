import { type Command, Option } from '@commander-js/extra-typings';
import * as routes from '../../functions/routes.ts';
import { flat } from '../api.ts';
import { ABSENT, createTable, day, printBlock } from '../print.ts';
import { common, type Host, toolsOf } from '../tools.ts';
import { readValue } from '../value.ts';

const KINDS = ['email', 'webhook', 'slack', 'teams', 'calendar'] as const;
const STATES = ['upcoming', 'due', 'overdue', 'escalated'] as const;

/** `fm notifications …` */
export function addNotifications(program: Command, host: Host): void {
  const notifications = program.command('notifications').description('who gets reminders');
  addAdd(notifications, host);
  addList(notifications, host);
  addDelete(notifications, host);
}

const HELP = `
The URL of a webhook, slack or teams is a secret: it is asked for without an echo, or taken from standard input.`;

function addAdd(notifications: Command, host: Host): void {
  common(notifications.command('add'))
    .description('say that somebody gets reminders')
    .addOption(new Option('--kind <kind>', 'how').choices(KINDS).makeOptionMandatory())
    .option('--address <address>', 'with kind email')
    .option('--owner <owner>', 'only what this owner’s secrets say')
    .addOption(new Option('--states <state...>', 'only these').choices(STATES))
    .addHelpText('after', HELP)
    .action(async ({ kind, address, owner, states }) => {
      const { api, terminal, json } = toolsOf(host);
      const posts = kind === 'webhook' || kind === 'slack' || kind === 'teams';
      const url = posts ? (await readValue(host, undefined, {}, 'URL: ')).value : undefined;
      const created = await api.call(routes.createNotification, { kind, address, url, owner, states });
      if (json) return terminal.printJson(created);
      printBlock(terminal, [
        ['id', created.id],
        ['kind', created.kind],
        ...(created.signing_key === null ? [] : [['signing_key', created.signing_key] as const]),
        ...(created.calendar_path === null ? [] : [['calendar_path', created.calendar_path] as const]),
      ]);
    });
}

function addList(notifications: Command, host: Host): void {
  common(notifications.command('list'))
    .description('list who gets reminders, newest first')
    .action(async () => {
      const { api, terminal, json } = toolsOf(host);
      const pages = api.pages(routes.listNotifications, {});
      if (json) return terminal.printJson(await Array.fromAsync(flat(pages)));
      const table = createTable(terminal, ['ID', 'KIND', 'TO', 'OWNER', 'STATES', 'CREATED']);
      for await (const page of pages) {
        table.add(
          page.map(({ id, kind, address, host: at, owner, states, created_at }) => {
            return [id, kind, address ?? at ?? ABSENT, owner ?? ABSENT, states.join(','), day(created_at)];
          }),
        );
      }
      table.end();
    });
}

function addDelete(notifications: Command, host: Host): void {
  common(notifications.command('delete').argument('<id>'))
    .description('end somebody’s reminders, or a calendar’s feed')
    .action(async (id) => {
      const { api, terminal, json } = toolsOf(host);
      await api.call(routes.deleteNotification, { id });
      if (!json) terminal.done(`${id} gets no more reminders.`);
    });
}
