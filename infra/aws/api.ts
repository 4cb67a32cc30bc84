import {
  HttpApi,
  HttpMethod,
  HttpNoneAuthorizer,
  type HttpRoute,
  type IHttpRouteAuthorizer,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaAuthorizer, HttpLambdaResponseType } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { FunctionUrlAuthType, type IFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnOutput, Duration, Fn, Stack, type StackProps } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { routes } from '../../functions/routes.ts';
import { addDomain, addStage, corsOf } from './edge.ts';
import type { Grant } from './grants.ts';
import { leaveAsIs } from './reasons.ts';
import { type FunctionContext, type FunctionLimits, SecretsFunction } from './secrets-function.ts';

export interface ApiProps extends StackProps, FunctionContext {}

/** Grants that the table of routes does not say, since only AWS knows buckets of checkpoints and guarded partitions. */
const moreGrants: Readonly<Record<string, readonly Grant[]>> = {
  'verify-audit': ['read-checkpoints'],
  'export-audit': ['read-checkpoints'],
  'prove-audit': ['read-checkpoints'],
  'create-api-key': ['change-api-keys'],
  'revoke-api-key': ['change-api-keys'],
};

/** Files below `functions/` that this stack runs, with what they may. */
export const apiFunctions: ReadonlyMap<string, readonly Grant[]> = new Map([
  // Settings are proven wherever something is recorded: hence the public key.
  ...routes.map(
    ({ name, grants }) => [`api/${name}`, [...grants, 'public-key', ...(moreGrants[name] ?? [])]] as const,
  ),
  ['authorize', ['read', 'write', 'public-key', 'change-api-keys']],
  ['resolve', ['read', 'write', 'decrypt', 'public-key']],
]);

/** The HTTP API, a function for each route, and the resolve function for who invokes it directly. */
export class ApiStack extends Stack {
  readonly api: HttpApi;
  /** The name under which it answers: its own one, or what API Gateway calls it. */
  readonly host: string;
  /** Every function, by its file below `functions/`. */
  readonly functions = new Map<string, SecretsFunction>();
  readonly #context: FunctionContext;

  constructor(scope: Construct, id: string, { storage, folders, settings, ...props }: ApiProps) {
    super(scope, id, props);
    this.#context = { storage, folders, settings };
    this.api = new HttpApi(this, 'Api', {
      createDefaultStage: false,
      description: 'FlowMason Secrets',
      // Under its own name alone, where it has one: API Gateway's name speaks what its default says.
      disableExecuteApiEndpoint: settings.domainName !== undefined,
      ...corsOf(settings),
    });
    this.host = settings.domainName ?? Fn.select(2, Fn.split('/', this.api.apiEndpoint));
    const authorizer = this.#authorizer();
    const added = routes.flatMap((route) => {
      const limits = route.action === 'public' ? { concurrency: settings.publicConcurrency } : {};
      const handler = this.#function(`api/${route.name}`, limits);
      return this.#addRoute(
        route,
        handler,
        route.action === 'public' ? new HttpNoneAuthorizer() : authorizer,
      );
    });
    const stage = addStage(this, this.api, added);
    this.#addResolve();
    new CfnOutput(this, 'ApiId', { value: this.api.apiId });
    new CfnOutput(this, 'Url', { value: addDomain(this, this.api, stage, settings) });
  }

  #authorizer(): HttpLambdaAuthorizer {
    const { authorizeConcurrency: concurrency } = this.#context.settings;
    // docs/adr/0004: every request is proven anew, and the unproven are let through to be refused.
    return new HttpLambdaAuthorizer('Authorizer', this.#function('authorize', { concurrency }), {
      responseTypes: [HttpLambdaResponseType.SIMPLE],
      identitySource: [],
      resultsCacheTtl: Duration.seconds(0),
    });
  }

  #addRoute(
    { name, method, path }: (typeof routes)[number],
    handler: IFunction,
    authorizer: IHttpRouteAuthorizer,
  ): HttpRoute[] {
    const integration = new HttpLambdaIntegration(`${name}Integration`, handler);
    const added = this.api.addRoutes({ path, methods: [HttpMethod[method]], integration, authorizer });
    if (authorizer instanceof HttpNoneAuthorizer) for (const one of added) leaveAsIs(one, 'publicRoute');
    return added;
  }

  /** For callers whom IAM lets in. The alias tells the function that its caller is the orchestrator. */
  #addResolve(): void {
    const resolve = this.#function('resolve');
    const orchestrator = resolve.addAlias('orchestrator');
    // On the function and not on the alias: who calls from outside proves its run by a token.
    const url = resolve.addFunctionUrl({ authType: FunctionUrlAuthType.AWS_IAM });
    new CfnOutput(this, 'ResolveFunction', { value: resolve.functionArn });
    new CfnOutput(this, 'OrchestratorAlias', { value: orchestrator.functionArn });
    new CfnOutput(this, 'ResolveUrl', { value: url.url });
  }

  #function(entry: string, limits: FunctionLimits = {}): SecretsFunction {
    const made = new SecretsFunction(this, entry, this.#context, apiFunctions.get(entry) ?? [], limits);
    this.functions.set(entry, made);
    return made;
  }
}
