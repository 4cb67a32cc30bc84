import type { Command } from '@commander-js/extra-typings';
import * as routes from '../../functions/routes.ts';
import type { AuditEntry, AuditQuery } from '../../shared/contract/audit.ts';
import { ABSENT, createTable, moment } from '../print.ts';
import { common, type Host, numberOf, PAGE, toolsOf } from '../tools.ts';
import { addExport } from './audit/export.ts';
import { follow } from './audit/follow.ts';
import { addProve } from './audit/prove.ts';
import { addVerify } from './audit/verify.ts';

const DEFAULT_LIMIT = 100;

/** `fm secrets audit` and what stands below it */
export function addAudit(secrets: Command, host: Host): void {
  const audit = common(secrets.command('audit'))
    .description('who did what, newest first')
    .option('--secret <name>', 'what was done to this secret')
    .option('--days <n>', 'of the last so many days')
    .option('--from <time>', 'from this time on, like 2026-01-31T12:00:00Z')
    .option('--to <time>', 'up to this time')
    .option('--action <action>', 'for example access, rotate or denied')
    .option('--outcome <outcome>', 'success, failed or denied')
    .option('--pipeline <id>', 'in runs of this pipeline')
    .option('--run <id>', 'in this run')
    .option('--user <user>', 'by this user')
    .option('--follow', 'show what comes, until it is interrupted; with --json a line each')
    .option('--limit <n>', `at most so many (default ${DEFAULT_LIMIT})`)
    .action(async (options) => {
      const { api, terminal, json } = toolsOf(host, options);
      const limit = numberOf('--limit', options.limit) ?? DEFAULT_LIMIT;
      const filter = {
        secret_name: options.secret,
        days: numberOf('--days', options.days),
        from: options.from,
        to: options.to,
        action: options.action as AuditQuery['action'],
        outcome: options.outcome as AuditQuery['outcome'],
        pipeline_id: options.pipeline,
        run_id: options.run,
        user: options.user,
      };
      if (options.follow === true)
        return follow(api, terminal, filter, (entry) =>
          terminal.print(json ? JSON.stringify(entry) : rowOf(entry).join('  ')),
        );
      const pages = api.pages(routes.queryAudit, { ...filter, limit: Math.min(limit, PAGE) });
      const entries: AuditEntry[] = [];
      for await (const page of pages) {
        entries.push(...page);
        if (entries.length >= limit) break;
      }
      const shown = entries.slice(0, limit);
      if (json) return terminal.printJson(shown);
      const table = createTable(terminal, [
        'TIMESTAMP',
        'ACTION',
        'OUTCOME',
        'SECRET',
        'PIPELINE',
        'RUN',
        'USER',
        'DETAIL',
      ]);
      table.add(shown.map(rowOf));
      table.end();
    });
  addVerify(audit, host);
  addExport(audit, host);
  addProve(audit, host);
}

function rowOf(entry: AuditEntry): string[] {
  const secret = entry.version === undefined ? entry.secret_name : `${entry.secret_name}@${entry.version}`;
  const detail = [entry.attempted, entry.reason].filter((part) => part !== undefined).join(': ');
  const columns = [secret, entry.pipeline_id, entry.run_id, entry.user, detail || undefined];
  return [moment(entry.timestamp), entry.action, entry.outcome, ...columns.map((column) => column ?? ABSENT)];
}
