import type { Command, OptionValues } from '@commander-js/extra-typings';
import * as routes from '../functions/routes.ts';
import { localFailure } from './failure.ts';
import { type Selecting, selectorOf, type Tools } from './tools.ts';

/** The environment whose name is asked for before anything in it is changed. */
export const GUARDED = 'production';

/** Adds the option that leaves out the questions. */
export function writing<Args extends unknown[], Options extends OptionValues>(
  command: Command<Args, Options>,
) {
  return command.option('--yes', 'do not ask for the name of the environment, or anything else');
}

/**
 * Asks on a terminal for the name of the production environment before it is written to. A script is not asked.
 * @param name the secret that is to be changed: without `--env` it may be production's only one
 * @throws Failure when the answer was another one
 */
export async function confirmPlace(
  { api, terminal }: Tools,
  options: Selecting & { readonly yes?: true | undefined },
  name?: string,
): Promise<void> {
  if (options.yes === true || !terminal.stdinIsTerminal) return;
  const isMeant = async () => {
    if (options.env !== undefined || name === undefined) return options.env === GUARDED;
    const { environment } = await api.call(routes.describeSecret, { name, ...selectorOf(options) });
    return environment === GUARDED;
  };
  if (!(await isMeant())) return;
  const answer = await terminal.ask(`This changes ${GUARDED}. Its name, to go on:`);
  if (answer === GUARDED) return;
  throw localFailure('not-confirmed', 'Not confirmed', 'Nothing was changed.', {
    next: ['With --yes it does not ask.'],
  });
}
