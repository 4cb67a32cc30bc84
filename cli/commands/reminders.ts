import type { Command } from '@commander-js/extra-typings';
import * as routes from '../../functions/routes.ts';
import type { SecretMetadata } from '../../shared/contract/secrets.ts';
import { flat } from '../api.ts';
import { ABSENT, createTable, day } from '../print.ts';
import { common, type Host, numberOf, PAGE, selecting, selectorOf, toolsOf } from '../tools.ts';

/** `fm secrets due | ack | snooze` */
export function addReminders(secrets: Command, host: Host): void {
  addDue(secrets, host);
  addAck(secrets, host);
  addSnooze(secrets, host);
}

const DAY_MS = 24 * 60 * 60 * 1000;
const DEFAULT_WITHIN_DAYS = 14;

function addDue(secrets: Command, host: Host): void {
  selecting(common(secrets.command('due')))
    .description('what is to be rotated, what is late the longest first')
    .option('--within-days <days>', `also what is due within so many days (default ${DEFAULT_WITHIN_DAYS})`)
    .action(async (options) => {
      const { api, terminal, json } = toolsOf(host);
      const due_within_days = numberOf('--within-days', options.withinDays) ?? DEFAULT_WITHIN_DAYS;
      const pages = api.pages(routes.listSecrets, { ...selectorOf(options), due_within_days, limit: PAGE });
      const due = (await Array.fromAsync(flat(pages))).toSorted((one, two) =>
        (one.next_rotation_at ?? '') < (two.next_rotation_at ?? '') ? -1 : 1,
      );
      if (json) return terminal.printJson(due);
      const table = createTable(terminal, ['NAME', 'STATE', 'DUE', 'ENVIRONMENT', 'OWNER', 'QUIET_UNTIL']);
      table.add(due.map((secret) => rowOf(secret, Date.now())));
      table.end();
    });
}

function rowOf({ name, next_rotation_at, environment, reminder }: SecretMetadata, now: number): string[] {
  const quiet = reminder?.quiet ?? null;
  const isQuiet = quiet !== null && Date.parse(quiet.until) > now;
  return [
    name,
    stateOf(next_rotation_at, now),
    day(next_rotation_at),
    environment ?? ABSENT,
    reminder?.owner ?? ABSENT,
    isQuiet ? `${day(quiet.until)} (${quiet.reason ?? 'snoozed'})` : ABSENT,
  ];
}

function stateOf(due: string | null, now: number): string {
  if (due === null) return ABSENT;
  const left = Math.ceil((Date.parse(due) - now) / DAY_MS);
  const days = (count: number) => (count === 1 ? '1 day' : `${count} days`);
  if (left > 0) return `in ${days(left)}`;
  return left === 0 ? 'due' : `${days(-left)} late`;
}

function addAck(secrets: Command, host: Host): void {
  selecting(common(secrets.command('ack').argument('<name>')))
    .description('answer a reminder: why it is not rotated now, and until when nobody need be reminded')
    .requiredOption('--reason <text>', 'why')
    .requiredOption('--until <date>', 'a day like 2027-03-31, within a year')
    .action(async (name, options) => {
      const { api, terminal, json } = toolsOf(host);
      const { reason, until } = options;
      const answer = await api.call(routes.ackSecret, { name, ...selectorOf(options), reason, until });
      if (json) return terminal.printJson(answer);
      terminal.done(`Nobody is reminded of ${name} before ${day(answer.reminder?.quiet?.until ?? until)}.`);
    });
}

function addSnooze(secrets: Command, host: Host): void {
  selecting(common(secrets.command('snooze').argument('<name>')))
    .description('put reminders off for some days')
    .option('--days <days>', 'how many, 30 at most; 0 ends it (default 1)')
    .action(async (name, options) => {
      const { api, terminal, json } = toolsOf(host);
      const days = numberOf('--days', options.days) ?? 1;
      const answer = await api.call(routes.snoozeSecret, { name, ...selectorOf(options), days });
      if (json) return terminal.printJson(answer);
      terminal.done(days === 0 ? `Reminders of ${name} go on.` : `Reminders of ${name} wait ${days} days.`);
    });
}
