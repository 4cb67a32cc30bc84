import { services } from '#services';
import { defineHandler } from '../../shared/http/define-handler.ts';
import { resolveConfig } from '../../shared/secrets/resolve-config.ts';
import * as routes from '../routes.ts';

/** POST /api/v1/resolve: every reference of a config by its value, or none of them. */
export const handler = defineHandler(services, routes.resolveConfig, resolveConfig);
