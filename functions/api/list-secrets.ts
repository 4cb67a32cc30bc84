import { services } from '#services';
import { defineHandler } from '../../shared/http/define-handler.ts';
import { listSecrets } from '../../shared/secrets/list-secrets.ts';
import * as routes from '../routes.ts';

/** GET /api/v1/secrets: the metadata of what the caller may see, by name. */
export const handler = defineHandler(services, routes.listSecrets, listSecrets);
