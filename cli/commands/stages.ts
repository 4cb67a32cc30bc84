import type { Command } from '@commander-js/extra-typings';
import * as routes from '../../functions/routes.ts';
import { confirmPlace, writing } from '../confirm.ts';
import { createTable, day, placeOf } from '../print.ts';
import { common, type Host, numberOf, selecting, selectorOf, toolsOf } from '../tools.ts';

/** `fm secrets activate | abandon | prune` */
export function addStages(secrets: Command, host: Host): void {
  addActivate(secrets, host);
  addAbandon(secrets, host);
  addPrune(secrets, host);
}

function addActivate(secrets: Command, host: Host): void {
  writing(selecting(common(secrets.command('activate').argument('<name>'))))
    .description('make the pending version current; every pipeline gets it from now on')
    .option('--version <n>', 'refuse when another version is pending')
    .option('--reason <text>', 'why, for the audit')
    .option('--keep-previous-for <duration>', 'how long {{secrets.NAME@previous}} resolves, for example 24h')
    .action(async (name, options) => {
      const tools = toolsOf(host, options);
      const version = numberOf('--version', options.version);
      await confirmPlace(tools, options, name);
      const answer = await tools.api.call(routes.activateSecret, {
        name,
        ...selectorOf(options),
        version,
        reason: options.reason,
        keep_previous_for: options.keepPreviousFor,
      });
      if (tools.json) return tools.terminal.printJson(answer);
      const { previous } = answer;
      const kept =
        previous === null ? '' : `; version ${previous.version} is at hand until ${previous.until}`;
      tools.terminal.done(`Version ${answer.version} of ${name} is current${placeOf(answer)}${kept}.`);
    });
}

function addAbandon(secrets: Command, host: Host): void {
  writing(selecting(common(secrets.command('abandon').argument('<name>'))))
    .description('drop the pending version; the current one stays')
    .option('--version <n>', 'refuse when another version is pending')
    .option('--reason <text>', 'why, for the audit')
    .action(async (name, options) => {
      const tools = toolsOf(host, options);
      const version = numberOf('--version', options.version);
      await confirmPlace(tools, options, name);
      const answer = await tools.api.call(routes.abandonSecret, {
        name,
        ...selectorOf(options),
        version,
        reason: options.reason,
      });
      if (tools.json) return tools.terminal.printJson(answer);
      tools.terminal.done(`Nothing of ${name} is pending; version ${answer.version} stays current.`);
    });
}

function addPrune(secrets: Command, host: Host): void {
  writing(selecting(common(secrets.command('prune').argument('<name>'))))
    .description('remove versions beyond the newest 100 that are older than 90 days')
    .option('--dry-run', 'list them, and remove nothing')
    .action(async (name, options) => {
      const tools = toolsOf(host, options);
      const dry_run = options.dryRun === true;
      if (!dry_run) await confirmPlace(tools, options, name);
      const answer = await tools.api.call(routes.pruneSecret, { name, ...selectorOf(options), dry_run });
      if (tools.json) return tools.terminal.printJson(answer);
      const { versions, pruned } = answer;
      const table = createTable(tools.terminal, ['VERSION', 'CREATED'] as const);
      table.add(versions.map(({ version, created_at }) => [String(version), day(created_at)]));
      table.end();
      tools.terminal.done(`${versions.length} versions of ${name} ${pruned ? 'are gone' : 'would go'}.`);
    });
}
