import type { APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { services } from '#services';
import { invokedBy } from '../shared/callers/resolve-invocation.ts';
import { type ResolveResponse, resolveInvocation } from '../shared/contract/resolve.ts';
import { isUrlRequest, payloadOf, urlResponse } from '../shared/http/function-url.ts';
import { parseInput } from '../shared/http/input.ts';
import { logEntryOf, type Problem, problemOf, problemResponse } from '../shared/http/problem.ts';
import { resolveConfig } from '../shared/secrets/resolve-config.ts';

type Answer = ResolveResponse | Problem | APIGatewayProxyStructuredResultV2;

/**
 * A direct invoke: what POST /api/v1/resolve answers, or a problem document, which alone has a `status`. By the
 * function's URL the same, as an HTTP answer.
 */
export async function handler(
  event: unknown,
  { awsRequestId, invokedFunctionArn }: Context,
): Promise<Answer> {
  const byUrl = isUrlRequest(event);
  const invocation = {
    request_id: awsRequestId,
    // The alias and not the function's own name, which could end alike.
    asOrchestrator: /:function:[^:]+:orchestrator$/.test(invokedFunctionArn),
  };
  try {
    const payload = parseInput(resolveInvocation, byUrl ? payloadOf(event) : event);
    const { caller, request } = await invokedBy(services, payload, invocation);
    const answer = await resolveConfig(services, caller, request);
    return byUrl ? urlResponse(answer, awsRequestId) : answer;
  } catch (error) {
    services.log({ level: 'info', function: 'resolve', request_id: awsRequestId, ...logEntryOf(error) });
    return byUrl ? problemResponse(error, awsRequestId) : problemOf(error, awsRequestId);
  }
}
