import { services } from '#services';
import { defineHandler } from '../../shared/http/define-handler.ts';
import { restoreSecret } from '../../shared/secrets/restore-secret.ts';
import * as routes from '../routes.ts';

/** POST /api/v1/secrets/{name}/restore: brings a deleted secret back. */
export const handler = defineHandler(services, routes.restoreSecret, restoreSecret);
