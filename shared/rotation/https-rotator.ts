import * as z from 'zod';
import type { RotatorConfig } from '../contract/rotators.ts';
import { type Network, NotPublic, postPublic, signedHeaders } from '../http/post-public.ts';
import { type Rotator, StepFailed, type Turn } from './rotator.ts';

const created = z.object({ value: z.string().min(1) });

/**
 * A hook of somebody's own, signed as webhooks are. No value goes out to it: who configures a URL must not come to
 * read by it. What it tests, it resolves itself as `@pending` with a runtime key.
 */
export function httpsRotator(
  { url }: Extract<RotatorConfig, { kind: 'https' }>,
  signingKey: () => Promise<string>,
  { now, network }: { readonly now: () => Date; readonly network?: Network },
): Rotator {
  const post = async (step: 'create' | 'test' | 'finish', turn: Turn): Promise<string> => {
    const body = JSON.stringify({ type: `rotation.${step}`, step, ...turn });
    const headers = signedHeaders(await signingKey(), `${turn.rotation_id}.${step}`, now(), body);
    const answer = await postPublic(url, body, headers, network).catch((error: unknown) => {
      throw new StepFailed(
        error instanceof NotPublic ? `the hook ${error.message}` : 'the hook cannot be reached',
      );
    });
    if (answer.status < 200 || answer.status > 299)
      throw new StepFailed(`the hook answered ${answer.status}`);
    return answer.body;
  };
  return {
    create: async (turn) => {
      const body = await post('create', turn);
      try {
        return created.parse(JSON.parse(body)).value;
      } catch {
        throw new StepFailed('the hook answered no {"value": …}');
      }
    },
    test: async (turn) => void (await post('test', turn)),
    finish: async (turn) => void (await post('finish', turn)),
  };
}
