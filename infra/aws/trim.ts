import { readFileSync } from 'node:fs';
import type { Plugin } from 'esbuild';

/**
 * Of the SDK's errors only this one has more than a name that we read. The others keep their names without a class
 * of their own: the protocol makes a plain service exception of what nobody registered.
 */
const READ_ERRORS = ['TransactionCanceledException'];

/**
 * Leaves out of the functions' bundles what DynamoDB's and KMS's clients bring and a function here never runs, 60 kB
 * that would be parsed at every cold start. test/aws/bundles.test.ts runs what is left against both services.
 */
export const trimSdk: Plugin = {
  name: 'trim-sdk',
  setup({ onLoad, onResolve }) {
    onLoad({ filter: /client-(kms|dynamodb)\/dist-es\/schemas\/schemas_0\.js$/ }, ({ path }) => {
      const lines = readFileSync(path, 'utf8').split('\n');
      const isKept = (line: string) => {
        const error = /^n0_registry\.registerError\(\w+\$, (\w+)\);$/.exec(line)?.[1];
        return error === undefined || READ_ERRORS.includes(error);
      };
      return { contents: lines.filter(isKept).join('\n') };
    });
    // Of its own manifest a client uses the version, in its User-Agent.
    onLoad({ filter: /client-[^/]+\/package\.json$/ }, ({ path }) => {
      const { version } = JSON.parse(readFileSync(path, 'utf8')) as { version: string };
      return { contents: JSON.stringify({ version }), loader: 'json' };
    });
    // For endpoints that are asked of the service, which is off.
    onLoad({ filter: /@aws-sdk\/endpoint-cache\/dist-es\/index\.js$/ }, () => ({
      contents: 'export class EndpointCache {}',
    }));
    // Neither service has operations that stream.
    onResolve({ filter: /^@smithy\/core\/event-streams$/ }, ({ kind, path }) =>
      kind === 'dynamic-import' ? { path, external: true } : undefined,
    );
  },
};

const leftOut = "() => { throw new Error('JSON Schema is left out of this bundle') }";
const stub = (names: readonly string[]) =>
  names.map((name) => `export const ${name} = ${leftOut};`).join('\n');

/**
 * Leaves out how zod writes JSON Schema, 19 kB that every schema refers to and that the OpenAPI document alone runs.
 * What asks for it elsewhere is told so.
 */
export const noJsonSchema: Plugin = {
  name: 'no-json-schema',
  setup({ onLoad }) {
    onLoad({ filter: /zod\/v4\/core\/to-json-schema\.js$/ }, () => ({
      contents: stub([
        ...['createToJSONSchemaMethod', 'createStandardJSONSchemaMethod', 'initializeContext', 'extractDefs'],
        ...['handleUnrepresentable', 'processSchema', 'process', 'finalize'],
      ]),
    }));
    onLoad({ filter: /zod\/v4\/core\/json-schema-processors\.js$/ }, () => ({
      contents: stub(['aggregateChecks', 'allProcessors', 'toJSONSchema']),
    }));
  },
};
