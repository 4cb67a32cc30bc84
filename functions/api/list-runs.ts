import { services } from '#services';
import { listRuns } from '../../shared/callers/list-runs.ts';
import { defineHandler } from '../../shared/http/define-handler.ts';
import * as routes from '../routes.ts';

/** GET /api/v1/runs?secret_name=: which runs used a secret, newest first. */
export const handler = defineHandler(services, routes.listRuns, listRuns);
