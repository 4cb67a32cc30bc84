import { services } from '#services';
import { defineHandler } from '../../shared/http/define-handler.ts';
import { activateSecret } from '../../shared/secrets/activate-secret.ts';
import * as routes from '../routes.ts';

/** POST /api/v1/secrets/{name}/activate: the pending version becomes current. */
export const handler = defineHandler(services, routes.activateSecret, activateSecret);
