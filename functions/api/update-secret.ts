import { services } from '#services';
import { defineHandler } from '../../shared/http/define-handler.ts';
import { updateSecret } from '../../shared/secrets/update-secret.ts';
import * as routes from '../routes.ts';

/** PATCH /api/v1/secrets/{name}: changes what describes a secret; its value stays. */
export const handler = defineHandler(services, routes.updateSecret, updateSecret);
