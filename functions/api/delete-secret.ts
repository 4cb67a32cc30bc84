import { services } from '#services';
import { defineHandler } from '../../shared/http/define-handler.ts';
import { deleteSecret } from '../../shared/secrets/delete-secret.ts';
import * as routes from '../routes.ts';

/** DELETE /api/v1/secrets/{name}: stops it from resolving, restorable for a while. */
export const handler = defineHandler(services, routes.deleteSecret, deleteSecret);
