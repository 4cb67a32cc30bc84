import { localFailure } from '../failure.ts';
import { encoded } from '../value.ts';
import { type Entry, entryOf, nameFrom, type Source, type SourceOptions } from './source.ts';

// The SDK finds region, credentials and endpoint by itself, as `aws` does.
const clientOptions = ({ region }: SourceOptions) => (region === undefined ? {} : { region });

/** AWS Secrets Manager: the current value of each secret, with its description. */
export const secretsManager: Source = async ({ terminal }, _from, options) => {
  const sdk = await loaded(() => import('@aws-sdk/client-secrets-manager'), 'secrets-manager');
  const client = new sdk.SecretsManagerClient(clientOptions(options));
  const { prefix = '' } = options;
  const filters = prefix === '' ? {} : { Filters: [{ Key: 'name' as const, Values: [prefix] }] };
  const entries: Entry[] = [];
  try {
    for await (const page of sdk.paginateListSecrets({ client }, filters)) {
      for (const { Name: name = '', Description: description } of page.SecretList ?? []) {
        // Its filter does not tell capital letters from small ones.
        if (!name.startsWith(prefix)) continue;
        const { SecretString: text, SecretBinary: bytes } = await client.send(
          new sdk.GetSecretValueCommand({ SecretId: name }),
        );
        const value = text === undefined ? encoded(Buffer.from(bytes ?? [])) : encoded(Buffer.from(text));
        entries.push({
          origin: name,
          name: nameFrom(name.slice(prefix.length)),
          value,
          description: description || undefined,
        });
        terminal.progress(`${entries.length} read`);
      }
    }
  } catch (error) {
    throw awsFailure(error);
  }
  return entries;
};

/** AWS SSM Parameter Store: every parameter below the prefix, decrypted. */
export const parameterStore: Source = async ({ terminal }, _from, options) => {
  const sdk = await loaded(() => import('@aws-sdk/client-ssm'), 'ssm');
  const client = new sdk.SSMClient(clientOptions(options));
  const prefix = options.prefix ?? '/';
  const asked = { Path: prefix, Recursive: true, WithDecryption: true };
  const entries: Entry[] = [];
  try {
    for await (const page of sdk.paginateGetParametersByPath({ client }, asked)) {
      for (const { Name: origin = '', Value: value = '' } of page.Parameters ?? []) {
        entries.push(entryOf(origin, value, { name: nameFrom(origin.slice(prefix.length)) }));
        terminal.progress(`${entries.length} read`);
      }
    }
  } catch (error) {
    throw awsFailure(error);
  }
  return entries;
};

async function loaded<T>(load: () => Promise<T>, service: string): Promise<T> {
  try {
    return await load();
  } catch {
    throw localFailure('no-sdk', 'The SDK of AWS is missing', `It is not installed with this fm.`, {
      next: [`npm install @aws-sdk/client-${service}`],
    });
  }
}

/** Names the kind of the error alone: a message may hold what was read. */
function awsFailure(error: unknown): Error {
  const kind = error instanceof Error ? error.name : 'unknown';
  return localFailure('aws', 'AWS could not be read', `${kind}.`, {
    next: ['Look at AWS_PROFILE, AWS_REGION and the rights of this identity.'],
  });
}
