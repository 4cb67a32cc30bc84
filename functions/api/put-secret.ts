import { services } from '#services';
import { Answer, defineHandler } from '../../shared/http/define-handler.ts';
import { putSecret } from '../../shared/secrets/put-secret.ts';
import * as routes from '../routes.ts';

/** PUT /api/v1/secrets/{name}: 201 for a new secret, 200 for a new version of one. */
export const handler = defineHandler(services, routes.putSecret, async (needs, caller, request) => {
  const { created, metadata } = await putSecret(needs, caller, request);
  return new Answer(created ? 201 : 200, metadata);
});
