import { services } from '#services';
import { defineHandler } from '../../shared/http/define-handler.ts';
import { createSecret } from '../../shared/secrets/create-secret.ts';
import * as routes from '../routes.ts';

/** POST /api/v1/secrets: stores a first version and answers with metadata, never the value. */
export const handler = defineHandler(services, routes.createSecret, createSecret);
