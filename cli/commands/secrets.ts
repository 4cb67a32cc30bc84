import type { Command } from '@commander-js/extra-typings';
import * as routes from '../../functions/routes.ts';
import { common, flagsOf, type Host, jsonOf, numberOf, selecting, selectorOf, toolsOf } from '../tools.ts';
import { readValue } from '../value.ts';

/** `fm secrets set | rotate | rollback | delete | restore` */
export function addSecrets(secrets: Command, host: Host): void {
  addSet(secrets, host);
  addRotate(secrets, host);
  addRollback(secrets, host);
  addDelete(secrets, host);
  addRestore(secrets, host);
}

const VALUE_HELP = `
VALUE may be left out: then it is asked for without an echo, or taken from standard input. With - it is taken
from standard input: one line without its line break, several lines as they are. A file is never trimmed.
A VALUE that starts with - goes after --: fm secrets set NAME -- -value`;

function addSet(secrets: Command, host: Host): void {
  selecting(common(secrets.command('set').argument('<name>').argument('[value]')))
    .description('store a secret, or a new version of it')
    .option('--description <text>', 'what it is for')
    .option('--metadata <json>', 'labels of your own, as a JSON object')
    .option('--rotation-days <days>', 'remind when it is older')
    .option('--from-file <file>', 'take the value from a file, byte by byte')
    .option('--base64', 'the value is base64 of bytes')
    .addHelpText('after', VALUE_HELP)
    .action(async (name, given, options) => {
      const tools = toolsOf(host, options);
      const rotation_days = numberOf('--rotation-days', options.rotationDays);
      const metadata = jsonOf('--metadata', options.metadata) as Record<string, string> | undefined;
      const value = await readValue(host.terminal, host.workingDirectory, {
        given,
        fromFile: options.fromFile,
        isBase64: options.base64 === true,
        question: `Value of ${name}: `,
      });
      const answer = await tools.api.call(routes.putSecret, {
        name,
        ...value,
        ...selectorOf(options),
        description: options.description,
        metadata,
        rotation_days,
      });
      if (tools.json) return tools.terminal.printJson(answer);
      tools.terminal.print(`${answer.name} is stored as version ${answer.version}${placeOf(answer)}.`);
    });
}

/** Where a secret stands, when that is not everywhere. */
function placeOf(secret: {
  environment: string | null;
  pipeline_id: string | null;
  user: string | null;
}): string {
  const parts = [
    ...(secret.environment === null ? [] : [`environment ${secret.environment}`]),
    ...(secret.pipeline_id === null ? [] : [`pipeline ${secret.pipeline_id}`]),
    ...(secret.user === null ? [] : [`user ${secret.user}`]),
  ];
  return parts.length === 0 ? '' : ` for ${parts.join(', ')}`;
}

function addRotate(secrets: Command, host: Host): void {
  selecting(common(secrets.command('rotate').argument('<name>').argument('[value]')))
    .description('store a new version; every pipeline gets it from now on')
    .option('--reason <text>', 'why, for the history')
    .option('--expected-version <n>', 'refuse when this is not the current version')
    .option('--keep-previous-for <duration>', 'how long {{secrets.NAME@previous}} resolves, for example 24h')
    .option('--from-file <file>', 'take the value from a file, byte by byte')
    .option('--base64', 'the value is base64 of bytes')
    .addHelpText('after', VALUE_HELP)
    .action(async (name, given, options) => {
      const tools = toolsOf(host, options);
      const expected_version = numberOf('--expected-version', options.expectedVersion);
      const { value, encoding } = await readValue(host.terminal, host.workingDirectory, {
        given,
        fromFile: options.fromFile,
        isBase64: options.base64 === true,
        question: `New value of ${name}: `,
      });
      const answer = await tools.api.call(routes.rotateSecret, {
        name,
        new_value: value,
        encoding,
        ...selectorOf(options),
        reason: options.reason,
        expected_version,
        keep_previous_for: options.keepPreviousFor,
      });
      if (tools.json) return tools.terminal.printJson(answer);
      tools.terminal.print(`${answer.name} is rotated to version ${answer.version}${placeOf(answer)}.`);
    });
}

function addRollback(secrets: Command, host: Host): void {
  selecting(common(secrets.command('rollback').argument('<name>')))
    .description('make a new version with the value of an old one')
    .requiredOption('--to <version>', 'the old version')
    .option('--reason <text>', 'why, for the history')
    .action(async (name, options) => {
      const tools = toolsOf(host, options);
      const version = numberOf('--to', options.to) ?? 0;
      const answer = await tools.api.call(routes.rollbackSecret, {
        name,
        version,
        ...selectorOf(options),
        reason: options.reason,
      });
      if (tools.json) return tools.terminal.printJson(answer);
      tools.terminal.print(
        `${answer.name} has the value of version ${version} again, as version ${answer.version}.`,
      );
    });
}

const DEFAULT_RECOVERY_DAYS = 7;

function addDelete(secrets: Command, host: Host): void {
  selecting(common(secrets.command('delete').argument('<name>')))
    .description('stop a secret from resolving, restorable for a while')
    .option(
      '--recovery-days <days>',
      `how long it can be restored; 0 removes it for good (default ${DEFAULT_RECOVERY_DAYS})`,
    )
    .option('--yes', 'do not ask, even when it cannot be restored')
    .action(async (name, options) => {
      const tools = toolsOf(host, options);
      const { terminal } = tools;
      const recovery_days = numberOf('--recovery-days', options.recoveryDays) ?? DEFAULT_RECOVERY_DAYS;
      const isForGood = recovery_days === 0;
      if (isForGood && options.yes !== true && terminal.stdinIsTerminal) {
        if (!(await terminal.confirm(`Remove ${name} and all its versions for good?`))) {
          return terminal.note('Nothing was removed.');
        }
      }
      await tools.api.call(routes.deleteSecret, { name, ...selectorOf(options), recovery_days });
      if (tools.json) return;
      if (isForGood) return terminal.print(`${name} is removed for good.`);
      const until = new Date(Date.now() + recovery_days * 24 * 60 * 60 * 1000).toISOString().slice(0, 10);
      const restore = `fm secrets restore ${name}${flagsOf(options)}`;
      terminal.print(`${name} is deleted. It can be restored until ${until}: ${restore}`);
    });
}

function addRestore(secrets: Command, host: Host): void {
  selecting(common(secrets.command('restore').argument('<name>')))
    .description('bring a deleted secret back')
    .action(async (name, options) => {
      const tools = toolsOf(host, options);
      const answer = await tools.api.call(routes.restoreSecret, { name, ...selectorOf(options) });
      if (tools.json) return tools.terminal.printJson(answer);
      tools.terminal.print(`${answer.name} is back, at version ${answer.version}${placeOf(answer)}.`);
    });
}
