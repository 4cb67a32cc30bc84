import { services } from '#services';
import { defineHandler } from '../../shared/http/define-handler.ts';
import { pruneSecret } from '../../shared/secrets/prune-versions.ts';
import * as routes from '../routes.ts';

/** POST /api/v1/secrets/{name}/prune: old versions go for good, or are listed first. */
export const handler = defineHandler(services, routes.pruneSecret, pruneSecret);
