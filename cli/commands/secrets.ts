import type { Command } from '@commander-js/extra-typings';
import * as routes from '../../functions/routes.ts';
import type { SecretMetadata } from '../../shared/contract/secrets.ts';
import { confirmPlace, writing } from '../confirm.ts';
import { placeOf } from '../print.ts';
import { common, type Host, jsonOf, numberOf, selecting, selectorOf, toolsOf } from '../tools.ts';
import { readValue, taking } from '../value.ts';

/** `fm secrets set | rotate | rollback` */
export function addSecrets(secrets: Command, host: Host): void {
  addSet(secrets, host);
  addRotate(secrets, host);
  addRollback(secrets, host);
}

function addSet(secrets: Command, host: Host): void {
  writing(taking(selecting(common(secrets.command('set').argument('<name>').argument('[value]')))))
    .description('store a secret, or a new version of it')
    .option('--description <text>', 'what it is for')
    .option('--metadata <json>', 'labels of your own, as a JSON object')
    .option('--rotation-days <days>', 'remind when it is older')
    .action(async (name, given, options) => {
      const tools = toolsOf(host, options);
      const rotation_days = numberOf('--rotation-days', options.rotationDays);
      const metadata = jsonOf('--metadata', options.metadata) as Record<string, string> | undefined;
      await confirmPlace(tools, options);
      const value = await readValue(host, given, options, `Value of ${name}: `);
      const answer = await tools.api.call(routes.putSecret, {
        name,
        ...value,
        ...selectorOf(options),
        description: options.description,
        metadata,
        rotation_days,
      });
      if (tools.json) return tools.terminal.printJson(answer);
      const stored = answer.unchanged === true ? 'has this value already, at' : 'is stored as';
      tools.terminal.done(`${answer.name} ${stored} version ${answer.version}${placeOf(answer)}.`);
      for (const warning of answer.warnings ?? []) tools.terminal.note(`fm: ${warning}`);
    });
}

function addRotate(secrets: Command, host: Host): void {
  writing(taking(selecting(common(secrets.command('rotate').argument('<name>').argument('[value]')))))
    .description('store a new version; every pipeline gets it from now on')
    .option('--reason <text>', 'why, for the history')
    .option('--expected-version <n>', 'refuse when this is not the current version')
    .option('--stage', 'store it without going live, until it is activated')
    .option('--keep-previous-for <duration>', 'how long {{secrets.NAME@previous}} resolves, for example 24h')
    .action(async (name, given, options) => {
      const tools = toolsOf(host, options);
      const expected_version = numberOf('--expected-version', options.expectedVersion);
      await confirmPlace(tools, options, name);
      const { value, encoding } = await readValue(host, given, options, `New value of ${name}: `);
      const answer = await tools.api.call(routes.rotateSecret, {
        name,
        new_value: value,
        encoding,
        ...selectorOf(options),
        reason: options.reason,
        expected_version,
        stage: options.stage === true ? 'pending' : undefined,
        keep_previous_for: options.keepPreviousFor,
      });
      if (tools.json) return tools.terminal.printJson(answer);
      tools.terminal.done(rotated(answer, options.stage === true));
      for (const warning of answer.warnings ?? []) tools.terminal.note(`fm: ${warning}`);
    });
}

function rotated(answer: SecretMetadata, staged: boolean): string {
  const { name, version, pending, unchanged } = answer;
  if (unchanged === true) return `${name} has this value already, at version ${version}${placeOf(answer)}.`;
  if (!staged || pending === null) return `${name} is rotated to version ${version}${placeOf(answer)}.`;
  return `Version ${pending.version} of ${name} is pending${placeOf(answer)}; it resolves as {{secrets.${name}@pending}}.`;
}

function addRollback(secrets: Command, host: Host): void {
  writing(selecting(common(secrets.command('rollback').argument('<name>'))))
    .description('make a new version with the value of an old one')
    .requiredOption('--to <version>', 'the old version')
    .option('--reason <text>', 'why, for the history')
    .action(async (name, options) => {
      const tools = toolsOf(host, options);
      const version = numberOf('--to', options.to) ?? 0;
      await confirmPlace(tools, options, name);
      const answer = await tools.api.call(routes.rollbackSecret, {
        name,
        version,
        ...selectorOf(options),
        reason: options.reason,
      });
      if (tools.json) return tools.terminal.printJson(answer);
      tools.terminal.done(
        `${answer.name} has the value of version ${version} again, as version ${answer.version}.`,
      );
    });
}
