import type { Command } from '@commander-js/extra-typings';
import * as routes from '../../functions/routes.ts';
import type { AuditEntry } from '../../shared/contract/audit.ts';
import { flat } from '../api.ts';
import { confirmPlace, writing } from '../confirm.ts';
import { Failure } from '../failure.ts';
import { placeOf } from '../print.ts';
import {
  common,
  flagsOf,
  type Host,
  numberOf,
  PAGE,
  type Selecting,
  selecting,
  selectorOf,
  type Tools,
  toolsOf,
} from '../tools.ts';

/** `fm secrets delete | restore` */
export function addRemoving(secrets: Command, host: Host): void {
  addDelete(secrets, host);
  addRestore(secrets, host);
}

const DEFAULT_RECOVERY_DAYS = 7;
const DAY_MS = 24 * 60 * 60 * 1000;

function addDelete(secrets: Command, host: Host): void {
  writing(selecting(common(secrets.command('delete').argument('<name>'))))
    .description('stop a secret from resolving, restorable for a while')
    .option(
      '--recovery-days <days>',
      `how long it can be restored; 0 removes it for good (default ${DEFAULT_RECOVERY_DAYS})`,
    )
    .action(async (name, options) => {
      const tools = toolsOf(host);
      const { terminal } = tools;
      const recovery_days = numberOf('--recovery-days', options.recoveryDays) ?? DEFAULT_RECOVERY_DAYS;
      const isForGood = recovery_days === 0;
      await confirmPlace(tools, options, name);
      const isUsed = await tellUse(tools, name, options);
      if ((isForGood || isUsed) && options.yes !== true && terminal.stdinIsTerminal) {
        const what = isForGood ? `Remove ${name} and all its versions for good?` : `Delete ${name}?`;
        if (!(await terminal.confirm(what))) return terminal.note('Nothing was removed.');
      }
      await tools.api.call(routes.deleteSecret, { name, ...selectorOf(options), recovery_days });
      if (tools.json) return;
      if (isForGood) return terminal.done(`${name} is removed for good.`);
      const until = new Date(Date.now() + recovery_days * DAY_MS).toISOString().slice(0, 10);
      const restore = `fm secrets restore ${name}${flagsOf(options)}`;
      terminal.done(`${name} is deleted. It can be restored until ${until}: ${restore}`);
    });
}

/** Says beside the result who resolved a secret in the last 24 hours. @returns whether anybody did */
async function tellUse({ api, terminal }: Tools, name: string, options: Selecting): Promise<boolean> {
  const from = new Date(Date.now() - DAY_MS).toISOString();
  const asked = { secret_name: name, action: 'access', outcome: 'success', from, limit: PAGE } as const;
  const uses = new Map<string, number>();
  try {
    for await (const entry of flat(api.pages(routes.queryAudit, asked))) {
      if (!isOf(entry, options)) continue;
      const who = entry.pipeline_id === undefined ? entry.user : `pipeline ${entry.pipeline_id}`;
      uses.set(who ?? 'somebody', (uses.get(who ?? 'somebody') ?? 0) + 1);
    }
  } catch (error) {
    if (!(error instanceof Failure) || error.problem.status !== 403) throw error;
    terminal.note(
      `Who resolved ${name} in the last 24 hours cannot be told: this key may not read the audit log.`,
    );
    return false;
  }
  if (uses.size === 0) {
    terminal.note(`Nobody resolved ${name} in the last 24 hours.`);
    return false;
  }
  const shown = [...uses].sort(([, a], [, b]) => b - a).map(([who, times]) => `${who} (${times})`);
  terminal.note(`Resolved in the last 24 hours by ${shown.join(', ')}.`);
  return true;
}

/** Whether an access was of the secret that the selection means. */
function isOf(entry: AuditEntry, { scope, env }: Selecting): boolean {
  if (scope !== undefined && entry.scope !== undefined && entry.scope !== scope) return false;
  return env === undefined || (entry.environment ?? 'none') === env;
}

function addRestore(secrets: Command, host: Host): void {
  writing(selecting(common(secrets.command('restore').argument('<name>'))))
    .description('bring a deleted secret back')
    .action(async (name, options) => {
      const tools = toolsOf(host);
      await confirmPlace(tools, options);
      const answer = await tools.api.call(routes.restoreSecret, { name, ...selectorOf(options) });
      if (tools.json) return tools.terminal.printJson(answer);
      tools.terminal.done(`${answer.name} is back, at version ${answer.version}${placeOf(answer)}.`);
    });
}
