import { services } from '#services';
import { endRun } from '../../shared/callers/end-run.ts';
import { defineHandler } from '../../shared/http/define-handler.ts';
import * as routes from '../routes.ts';

/** DELETE /api/v1/runs/{run_id}: ends a run and its token. */
export const handler = defineHandler(services, routes.endRun, endRun);
