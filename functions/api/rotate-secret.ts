import { services } from '#services';
import { defineHandler } from '../../shared/http/define-handler.ts';
import { rotateSecret } from '../../shared/secrets/rotate-secret.ts';
import * as routes from '../routes.ts';

/** POST /api/v1/secrets/{name}/rotate: stores a new version, current from now on. */
export const handler = defineHandler(services, routes.rotateSecret, rotateSecret);
