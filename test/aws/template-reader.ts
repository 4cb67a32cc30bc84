import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Template } from 'aws-cdk-lib/assertions';
import { App, Stack } from 'aws-cdk-lib/core';
import * as z from 'zod';
import { addStacks, deployedFunctions } from '../../infra/aws/deployment.ts';
import { parseSettings } from '../../infra/aws/settings.ts';

const statement = z.object({
  Effect: z.enum(['Allow', 'Deny']),
  Action: z.union([z.string(), z.array(z.string())]).transform((one) => [one].flat()),
  Resource: z.unknown(),
  Condition: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
});
export type Statement = z.infer<typeof statement>;

/** The templates of a deployment, by their stacks' last names; the code of its functions does not matter. */
export function templatesOf(given: Readonly<Record<string, unknown>>): ReadonlyMap<string, Template> {
  const folder = mkdtempSync(join(tmpdir(), 'fm-templates-'));
  writeFileSync(join(folder, 'index.js'), '');
  const app = new App();
  const settings = parseSettings(given);
  addStacks(app, settings, new Map([...deployedFunctions.keys()].map((entry) => [entry, folder])));
  const stacks = app.node.children.filter((child) => child instanceof Stack);
  return new Map(stacks.map((stack) => [stack.stackName.split('-').at(-1) ?? '', Template.fromStack(stack)]));
}

/** What each function's role may do, by the function's file below `functions/`. */
export function rolesOf(templates: ReadonlyMap<string, Template>): ReadonlyMap<string, readonly Statement[]> {
  const policies = ['api', 'background', 'reminders'].flatMap((name) =>
    Object.entries(templates.get(name)?.findResources('AWS::IAM::Policy') ?? {}),
  );
  const byRole = new Map(
    policies.map(([id, { Properties }]) => [
      id.replace(/RoleDefaultPolicy[0-9A-F]{8}$/, ''),
      z.array(statement).parse(Properties.PolicyDocument.Statement),
    ]),
  );
  return new Map(
    [...deployedFunctions.keys()].map((entry) => {
      const id = entry.replace('api/', '').replaceAll('-', '');
      const found = byRole.get(id);
      if (found === undefined) throw new TypeError(`${entry} has no role`);
      return [entry, found];
    }),
  );
}

/**
 * Whether IAM allows an action: on the table's partitions, or with an environment in KMS's encryption context. A
 * condition that names other things than these is unknown here.
 */
export function allows(
  statements: readonly Statement[],
  action: string,
  keys: readonly string[] = [],
  { index = false, environment = '' } = {},
): boolean {
  const applies = ({ Action, Resource, Condition = {} }: Statement) =>
    Action.includes(action) &&
    (!index || JSON.stringify(Resource).includes('/index/')) &&
    Object.entries(Condition).every(([operator, conditions]) => {
      if (operator === 'StringEquals')
        return isDeepStrictEqual(conditions, { 'kms:EncryptionContext:environment': environment });
      if (operator !== 'ForAnyValue:StringLike') throw new TypeError(`${operator} is not known here`);
      return Object.entries(conditions).every(([name, patterns]) => {
        if (name !== 'dynamodb:LeadingKeys') throw new TypeError(`${name} is not known here`);
        return keys.some((key) => [patterns].flat().some((pattern) => isLike(key, String(pattern))));
      });
    });
  const of = (effect: Statement['Effect']) =>
    statements.filter(({ Effect }) => Effect === effect).some(applies);
  return of('Allow') && !of('Deny');
}

/** IAM's StringLike: `*` is any text, `?` any character. */
function isLike(text: string, pattern: string): boolean {
  const escaped = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${escaped}$`, 's').test(text);
}
