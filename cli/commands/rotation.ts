import { type Command, Option } from '@commander-js/extra-typings';
import * as routes from '../../functions/routes.ts';
import { confirmPlace, writing } from '../confirm.ts';
import { common, type Host, selecting, selectorOf, toolsOf } from '../tools.ts';

/** `fm secrets rotation` */
export function addRotation(secrets: Command, host: Host): void {
  const action = new Option('--action <action>', 'what to do with the rotation').choices([
    'start',
    'resume',
    'abandon',
  ] as const);
  writing(selecting(common(secrets.command('rotation').argument('<name>'))))
    .description('start, resume or abandon a rotation by the secret’s rotator')
    .addOption(action.makeOptionMandatory())
    .option('--dry-run', 'try what can be tried, and change nothing')
    .action(async (name, options) => {
      const tools = toolsOf(host, options);
      const dry_run = options.dryRun === true;
      if (!dry_run) await confirmPlace(tools, options, name);
      const answer = await tools.api.call(routes.requestRotation, {
        name,
        ...selectorOf(options),
        action: options.action,
        dry_run,
      });
      if (tools.json) return tools.terminal.printJson(answer);
      const { rotation } = answer;
      const stands = rotation === null ? 'abandoned' : `${rotation.state} at ${rotation.step}`;
      tools.terminal.done(
        `The rotation of ${name} is ${stands}; fm secrets get ${name} says how it goes on.`,
      );
    });
}
