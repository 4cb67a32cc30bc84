import type { Context } from 'aws-lambda';
import { services } from '#services';
import { invokedBy } from '../shared/callers/resolve-invocation.ts';
import { type ResolveResponse, resolveInvocation } from '../shared/contract/resolve.ts';
import { parseInput } from '../shared/http/input.ts';
import { logEntryOf, type Problem, problemOf } from '../shared/http/problem.ts';
import { resolveConfig } from '../shared/secrets/resolve-config.ts';

/** A direct invoke: what POST /api/v1/resolve answers, or a problem document, which alone has a `status`. */
export async function handler(event: unknown, context: Context): Promise<ResolveResponse | Problem> {
  const invocation = {
    request_id: context.awsRequestId,
    // The alias and not the function's own name, which could end alike.
    asOrchestrator: /:function:[^:]+:orchestrator$/.test(context.invokedFunctionArn),
  };
  try {
    const payload = parseInput(resolveInvocation, event);
    const { caller, request } = await invokedBy(services, payload, invocation);
    return await resolveConfig(services, caller, request);
  } catch (error) {
    services.log({
      level: 'info',
      function: 'resolve',
      request_id: context.awsRequestId,
      ...logEntryOf(error),
    });
    return problemOf(error, context.awsRequestId);
  }
}
