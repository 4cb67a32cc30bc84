import { services } from '#services';
import { defineHandler } from '../../shared/http/define-handler.ts';
import { checkConfig } from '../../shared/secrets/check-config.ts';
import * as routes from '../routes.ts';

/** POST /api/v1/resolve/check: what a resolve would find, decrypting nothing. */
export const handler = defineHandler(services, routes.checkConfig, checkConfig);
