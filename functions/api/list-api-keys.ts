import { services } from '#services';
import { listApiKeys } from '../../shared/callers/list-api-keys.ts';
import { defineHandler } from '../../shared/http/define-handler.ts';
import * as routes from '../routes.ts';

/** GET /api/v1/api-keys: the organization's keys, without the keys themselves. */
export const handler = defineHandler(services, routes.listApiKeys, listApiKeys);
