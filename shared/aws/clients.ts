import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

/** Less than the deadline of a port's call, so that an answer which was lost is asked for again within it. */
const shared = {
  maxAttempts: 4,
  requestHandler: { connectionTimeout: 2000, requestTimeout: 2500, throwOnRequestTimeout: true },
} as const;

type Endpoint = ConstructorParameters<typeof DynamoDBClient>[0];

/** @param more for tests: an endpoint and credentials */
export function documentClient(more: Endpoint = {}): DynamoDBDocumentClient {
  return DynamoDBDocumentClient.from(new DynamoDBClient({ ...shared, ...more }), {
    marshallOptions: { removeUndefinedValues: true },
  });
}

export function kmsClient(more: ConstructorParameters<typeof KMSClient>[0] = {}): KMSClient {
  return new KMSClient({ ...shared, ...more });
}
