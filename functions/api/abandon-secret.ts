import { services } from '#services';
import { defineHandler } from '../../shared/http/define-handler.ts';
import { abandonSecret } from '../../shared/secrets/activate-secret.ts';
import * as routes from '../routes.ts';

/** POST /api/v1/secrets/{name}/abandon: the pending version is dropped. */
export const handler = defineHandler(services, routes.abandonSecret, abandonSecret);
