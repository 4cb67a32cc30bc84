import { services } from '#services';
import { createApiKey } from '../../shared/callers/create-api-key.ts';
import { defineHandler } from '../../shared/http/define-handler.ts';
import * as routes from '../routes.ts';

/** POST /api/v1/api-keys: makes a key and shows it this once. */
export const handler = defineHandler(services, routes.createApiKey, createApiKey);
