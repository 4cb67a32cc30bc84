import type { Command } from '@commander-js/extra-typings';
import * as routes from '../../functions/routes.ts';
import { createApi } from '../api.ts';
import { usageFailure } from '../failure.ts';
import { accountOf, keychainOf } from '../keychain.ts';
import { profileFile, saveProfile } from '../profiles.ts';
import { parseApiKey, parseApiUrl } from '../settings.ts';
import { common, type Host } from '../tools.ts';

const MAX_KEY_BYTES = 4096;

/** `fm login` */
export function addLogin(program: Command, host: Host): void {
  common(program.command('login'))
    .description('keep the address of a server and an API key, after a look whether they are good')
    .option('--no-keychain', 'keep the key in a file that only you can read, also where there is a keychain')
    .action(async (options) => {
      const { terminal, environment, outcome } = host;
      const { apiUrl, profile, json } = outcome.common;
      const given = apiUrl ?? environment.FM_API_URL ?? (await askAddress(host));
      const url = parseApiUrl(given, '--api-url');
      const file = profileFile(environment, profile ?? environment.FM_PROFILE);
      const apiKey = parseApiKey(await readKey(host, url), 'this login');
      const caller = await createApi({ apiUrl: url, apiKey }).call(routes.describeCaller, {});
      const keychain = options.keychain ? keychainOf(environment) : null;
      const isKept = keychain?.save(accountOf(url, file), apiKey) === true;
      saveProfile(file, url, isKept ? null : apiKey);
      if (json === true)
        return terminal.printJson({ api_url: url.href, profile: file, keychain: isKept, ...caller });
      terminal.done(`Signed in to ${url.origin} as ${caller.subject}, ${caller.role}, of ${caller.org}.`);
      if (keychain !== null && !isKept) terminal.note(`fm: ${keychain.name} did not take the key.`);
      const where = isKept
        ? `${keychain.name}; ${file} names the server`
        : `${file}, which only you can read`;
      terminal.done(`The key is in ${where}.`);
      if (profile !== undefined)
        terminal.done(`Take it with --profile ${profile}, or FM_PROFILE=${profile}.`);
    });
}

async function askAddress({ terminal }: Host): Promise<string> {
  if (!terminal.stdinIsTerminal)
    throw usageFailure('Say which server: --api-url https://secrets.example.com');
  return terminal.ask('Address of the server:');
}

async function readKey({ terminal }: Host, url: URL): Promise<string> {
  if (terminal.stdinIsTerminal) return terminal.askHidden(`API key for ${url.origin}: `);
  return (await terminal.readInput(MAX_KEY_BYTES)).toString('utf8').trim();
}
