import { services } from '#services';
import { defineHandler } from '../../shared/http/define-handler.ts';
import { secretHistory } from '../../shared/secrets/secret-history.ts';
import * as routes from '../routes.ts';

/** GET /api/v1/secrets/{name}/history: the versions of a secret, newest first. */
export const handler = defineHandler(services, routes.secretHistory, secretHistory);
