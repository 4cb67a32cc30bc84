import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { routes } from '../../functions/routes.ts';
import { bundleFunction } from '../../infra/aws/bundle.ts';
import { deployedFunctions } from '../../infra/aws/deployment.ts';
import { documentClient } from '../../shared/aws/clients.ts';
import { createTable, storesOver } from './dynamo-host.ts';
import { clientFor, dynamodbLocal } from './emulators.ts';
import { FakeKms } from './fake-kms.ts';
import { RecordingProxy } from './recording-proxy.ts';

type Handler = (event: unknown, context: unknown) => Promise<unknown>;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  readonly json: () => Record<string, unknown>;
}

const load = createRequire(import.meta.url);

/** The functions as they are deployed: their bundles, against DynamoDB Local and a KMS that counts. */
export async function startFunctions() {
  const kms = new FakeKms();
  const proxy = new RecordingProxy(dynamodbLocal);
  const folder = mkdtempSync(join(tmpdir(), 'fm-functions-'));
  const client = documentClient(clientFor(dynamodbLocal));
  const FM_TABLE = await createTable(client);
  Object.assign(process.env, {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: '111111111111',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL_DYNAMODB: await proxy.start(),
    AWS_ENDPOINT_URL_KMS: await kms.start(),
    POWERTOOLS_SERVICE_NAME: 'functions',
    POWERTOOLS_METRICS_NAMESPACE: 'test',
    FM_TABLE,
    FM_DATA_KEY_ID: kms.createDataKey(),
    FM_RECOVERY_KEY_ID: kms.createDataKey(),
    FM_SIGNING_KEY_ID: kms.createSigningKey(),
    FM_MAC_KEY_ID: kms.createMacKey(),
    FM_CHECKPOINT_BUCKET: 'none',
  });
  const files = new Map<string, string>();
  // What the functions write into their logs, which no test's report needs.
  const logged: string[] = [];
  const [writeOut, writeError] = [process.stdout.write, process.stderr.write];
  for (const stream of [process.stdout, process.stderr])
    stream.write = (chunk: string | Uint8Array) => logged.push(String(chunk)) > 0;

  /** Loads a function, as a cold start does. */
  const handlerOf = async (entry: string, cold: boolean): Promise<Handler> => {
    let file = files.get(entry);
    if (file === undefined) {
      file = join(
        (await bundleFunction(entry, deployedFunctions.get(entry) ?? [], folder)).folder,
        'index.js',
      );
      files.set(entry, file);
    }
    if (cold) delete load.cache[file];
    return (load(file) as { handler: Handler }).handler;
  };

  const invoke = async (
    entry: string,
    event: unknown,
    { cold = false, arn = `arn:aws:lambda:us-east-1:111111111111:function:${entry}` } = {},
  ) => {
    const handler = await handlerOf(entry, cold);
    proxy.by = entry;
    return handler(event, { awsRequestId: randomUUID(), invokedFunctionArn: arn } as Context);
  };

  /** A request as API Gateway makes it of HTTP: the authorizer, then the route's function. */
  const call = async (
    bearer: string | null,
    name: string,
    {
      params = {},
      query = {},
      body,
      cold = false,
    }: { params?: object; query?: Record<string, string>; body?: unknown; cold?: boolean } = {},
  ): Promise<Answer> => {
    const route = routes.find((one) => one.name === name);
    const headers = {
      'content-type': 'application/json',
      ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
    };
    const http = { method: route?.method, path: route?.path, sourceIp: '127.0.0.1' };
    const requestContext = { requestId: randomUUID(), http };
    const { context } = (await invoke('authorize', { headers, requestContext })) as { context: object };
    const event = {
      headers,
      pathParameters: params,
      queryStringParameters: query,
      rawPath: route?.path,
      rawQueryString: new URLSearchParams(query).toString(),
      body: body === undefined ? undefined : JSON.stringify(body),
      isBase64Encoded: false,
      requestContext: { ...requestContext, authorizer: { lambda: context } },
    };
    const answer = (await invoke(`api/${name}`, event, { cold })) as APIGatewayProxyStructuredResultV2;
    const text = answer.body ?? '';
    return {
      status: answer.statusCode ?? 0,
      headers: answer.headers ?? {},
      text,
      json: () => JSON.parse(text),
    };
  };

  return {
    kms,
    proxy,
    logged,
    invoke,
    call,
    stores: storesOver(client, FM_TABLE, () => new Date()),
    stop: async () => {
      process.stdout.write = writeOut;
      process.stderr.write = writeError;
      proxy.stop();
      await kms.stop();
      rmSync(folder, { recursive: true });
    },
  };
}
