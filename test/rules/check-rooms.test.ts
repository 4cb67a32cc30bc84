import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { checkRooms } from './check-rooms.ts';

const trees: string[] = [];
afterEach(() => {
  for (const tree of trees.splice(0)) rmSync(tree, { recursive: true });
});

/** Checks a tree that holds this file and nothing else. */
function check(file: string, source: string) {
  const root = mkdtempSync(join(tmpdir(), 'rooms-'));
  trees.push(root);
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), source);
  return checkRooms(root);
}

/** Rows of a table written as text, one a line, its columns parted by ` | `. */
const rows = (table: string) =>
  table
    .trim()
    .split('\n')
    .map((row): readonly string[] => row.trim().split(' | '));

describe('the tree as it is', () => {
  const { modules, violations } = checkRooms(join(import.meta.dirname, '../..'));

  it('keeps every rule', () => {
    expect(violations).toEqual([]);
  });

  it('is read: a guard that reads nothing finds nothing', () => {
    expect(modules).toBeGreaterThan(10);
  });
});

describe('is allowed', () => {
  const allowed = rows(`
    shared/contract/a.ts | import * as z from 'zod'; import type { ZodType } from 'zod';
    shared/contract/a.ts | /* import { z } from 'zod' */ export const a = "process.env import('../aws/a.ts')";
    shared/envelope/a.ts | import type { Id } from '../contract/ids.ts'; import { b } from './b.ts';
    shared/http/a.ts | import { demand } from '../access/roles.ts'; import middy from 'middy/core';
    shared/audit/a.ts | import { sign } from '../envelope/sign.ts'; import { who } from '../access/caller.ts';
    shared/services.ts | import type { Store } from './secrets/store.ts'; export interface A { b: Store }
    shared/aws/services.ts | import { KMSClient } from '@aws-sdk/client-kms'; export const a = process.env['A'];
    shared/embedded/a.ts | import { DatabaseSync } from 'node:sqlite'; import type { S } from '../services.ts';
    functions/api/a.ts | import { services } from '#services'; import { health } from '../routes.ts';
    infra/local/a.ts | import { handler } from '../../functions/api/a.ts'; export const a = process.env.A;
    infra/aws/app.ts | import { App } from 'aws-cdk-lib/core'; import { routes } from '../../functions/routes.ts';
    cli/main.ts | import manifest from '../package.json' with { type: 'json' }; export const a = process.env.A;
    cli/commands/set.ts | import { a } from '../../shared/contract/ids.ts'; import { b } from '../terminal.ts';
    cli/commands/set.ts | import { routes } from '../../functions/routes.ts';
    cli/commands/admin.ts | import { services } from '#services'; import { a } from '../../shared/secrets/a.ts';
    client/a.ts | import type { Name } from '../shared/contract/ids.ts';
    client/a.config.ts | export default {};
  `);
  it.each(allowed)('%s: %s', (file = '', source = '') => {
    expect(check(file, source)).toEqual({ modules: 1, violations: [] });
  });

  it('a dynamic import whose room is certain', () => {
    const source = 'export const load = (name: string) => import(`../../functions/api/$' + '{name}.ts`);';
    expect(check('infra/local/server.ts', source).violations).toEqual([]);
    expect(check('shared/http/server.ts', source).violations).toHaveLength(1);
  });

  it('a file of 250 lines, and a longer table of routes', () => {
    expect(check('shared/http/a.ts', 'export {};\n'.repeat(250)).violations).toEqual([]);
    expect(check('functions/routes.ts', 'export {};\n'.repeat(300)).violations).toEqual([]);
  });
});

describe('is named: an import', () => {
  const planted = rows(`
    shared/contract/a.ts | import { a } from '../envelope/a.ts'; | shared/contract (floor 0) imports shared/envelope (floor 1), upward
    shared/envelope/a.ts | import type { A } from '../secrets/a.ts'; | shared/envelope (floor 1) imports shared/secrets (floor 3), upward
    shared/audit/a.ts | export type A = import('../services.ts').A; | shared/audit (floor 2) imports shared/services.ts (floor 5), upward
    shared/http/a.ts | export const a = 1; export { b } from '../secrets/b.ts'; | shared/http (floor 2) imports shared/secrets (floor 3), upward
    shared/http/a.ts | export const a = 1; export * from '../../functions/routes.ts'; | shared/http (floor 2) imports functions (floor 7), upward
    shared/secrets/a.ts | export const a = () => import('../embedded/a.ts'); | shared/secrets (floor 3) imports shared/embedded (floor 6), upward
    shared/secrets/a.ts | import a = require('../aws/a.ts'); | shared/secrets (floor 3) imports shared/aws (floor 6), upward
    shared/secrets/a.ts | import { services } from '#services'; | shared/secrets (floor 3) imports #services (floor 6), upward
    functions/api/a.ts | import '../../infra/local/server.ts'; | functions (floor 7) imports infra/local (floor 8), upward
    shared/envelope/a.ts | import { a } from '../access/a.ts'; | shared/envelope (floor 1) imports shared/access (floor 1), a neighbour
    shared/http/a.ts | import { a } from '../audit/a.ts'; | shared/http (floor 2) imports shared/audit (floor 2), a neighbour
    shared/aws/a.ts | import { a } from '../embedded/a.ts'; | shared/aws (floor 6) imports shared/embedded (floor 6), a neighbour
    shared/embedded/a.ts | import { a } from '../aws/a.ts'; | shared/embedded (floor 6) imports shared/aws (floor 6), a neighbour
    infra/aws/a.ts | import { a } from '../local/a.ts'; | infra/aws (floor 8) imports infra/local (floor 8), a neighbour
    infra/local/a.ts | import { a } from '../aws/a.ts'; | infra/local (floor 8) imports infra/aws (floor 8), a neighbour
    infra/aws/a.ts | import { a } from '../../shared/embedded/a.ts'; | infra/aws never imports shared/embedded
    infra/local/a.ts | import { a } from '../../shared/aws/a.ts'; | infra/local never imports shared/aws
    functions/api/a.ts | import { a } from '../../shared/aws/services.ts'; | functions never imports shared/aws; import '#services'
    functions/api/a.ts | import { a } from '../../shared/embedded/a.ts'; | functions never imports shared/embedded; import '#services'
    shared/http/a.ts | import { a } from '../../test/testkit/a.ts'; | import of test/testkit/a.ts, which is in no room
    shared/http/a.ts | import { a } from '../../cli/main.ts'; | import of cli/main.ts, which is in no room
    shared/secrets/a.ts | import { a } from '../access-log/a.ts'; | import of shared/access-log/a.ts, which is in no room
    functions/api/a.ts | import { a } from '#other'; | import of #other, which is in no room
    shared/http/a.ts | export const a = (b: string) => import(b); | hidden import
    cli/commands/set.ts | import { a } from '../../shared/secrets/a.ts'; | client reaches into shared/secrets/a.ts; cli may import
    cli/commands/set.ts | import { a } from '#services'; | client reaches into #services; cli may import
    cli/commands/admin/a.ts | import { a } from '../../../shared/aws/a.ts'; | client reaches into shared/aws/a.ts; cli/commands/admin may import
    client/a.ts | import { a } from '../functions/api/a.ts'; | client reaches into functions/api/a.ts; client may import
    client/a.ts | import { a } from '#services'; | client reaches into #services; client may import
    shared/contract/a.ts | import { a } from 'middy/core'; | contract imports a package 'middy/core'
    shared/contract/a.ts | import { a } from 'node:crypto'; | contract imports Node 'node:crypto'
    shared/secrets/a.ts | import { a } from '@aws-sdk/client-kms'; | '@aws-sdk/client-kms' outside shared/aws
    infra/aws/a.ts | export const a = () => import('@aws-sdk/client-kms'); | '@aws-sdk/client-kms' outside shared/aws
    infra/local/a.ts | import { a } from 'node:sqlite'; | 'node:sqlite' outside shared/embedded
    functions/a.ts | import { a } from 'aws-cdk-lib/aws-kms'; | 'aws-cdk-lib/aws-kms' outside infra/aws
    shared/contract/a.ts | import { z } from 'zod'; | zod by name; write import * as z from 'zod'
    shared/http/a.ts | import z from 'zod'; | zod by name; write import * as z from 'zod'
    shared/http/a.ts | import { env } from 'node:process'; | environment
  `);
  it.each(planted)('%s: %s', (file = '', source = '', violation = '') => {
    expect(check(file, source).violations).toEqual([expect.stringContaining(`${file}:1: ${violation}`)]);
  });
});

describe('is named: a module', () => {
  const planted = rows(`
    shared/a.ts | export {}; | : no room; move it into one
    infra/gcp/a.ts | export {}; | : no room; move it into one
    shared/http/utils/a.ts | export {}; | : vague folder 'utils'
    cli/common/a.ts | export {}; | : vague folder 'common'
    functions/helpers/a.ts | export {}; | : vague folder 'helpers'
    client/types/a.ts | export {}; | : vague folder 'types'
    shared/http/index.ts | export {}; | : barrel; delete it
    shared/http/all.ts | export * from './a.ts'; export { b } from './b.ts'; | : barrel; delete it
    shared/http/a.ts | export const a = process.env.A; | :1: environment; read it in the host's services.ts
    shared/embedded/a.ts | export const a = globalThis.process['env']; | :1: environment; read it in
    cli/terminal.ts | export const { env } = process; | :1: environment; read it in
    shared/http/a.ts | export default 1; | :1: default export; export it by name
    shared/http/a.ts | const a = 1; export { a as default }; | :1: default export; export it by name
    shared/http/a.ts | export const = ; | : unreadable; shared/http/a.ts does not parse
  `);
  it.each(planted)('%s: %s', (file = '', source = '', violation = '') => {
    expect(check(file, source).violations).toEqual([expect.stringContaining(file + violation)]);
  });

  it('of 251 lines', () => {
    const { violations } = check('shared/http/a.ts', 'export {};\n'.repeat(251));
    expect(violations).toEqual(['shared/http/a.ts: 251 lines; split it, a file has at most 250']);
  });

  it('with every breach that it holds, each on its line', () => {
    const source =
      "import { a } from '../aws/a.ts';\nimport { z } from 'zod';\n\nexport default process.env;\n";
    expect(check('shared/http/a.ts', source).violations.map((one) => one.split(':', 2).join(':'))).toEqual([
      'shared/http/a.ts:1',
      'shared/http/a.ts:2',
      'shared/http/a.ts:4',
      'shared/http/a.ts:4',
    ]);
  });
});

describe('is named: a tree', () => {
  it('without a module', () => {
    const { modules, violations } = check('docs/a.md', '');
    expect(modules).toBe(0);
    expect(violations).toEqual([expect.stringContaining(': no module read; run this where shared,')]);
  });

  it('that hides one in a language which the rules do not read', () => {
    const [hidden] = check('functions/api/a.mjs', "import '@aws-sdk/client-kms';").violations;
    expect(hidden).toContain('functions/api/a.mjs: unread language; write a .ts module');
  });
});
