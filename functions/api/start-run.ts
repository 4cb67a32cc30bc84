import { services } from '#services';
import { startRun } from '../../shared/callers/start-run.ts';
import { defineHandler } from '../../shared/http/define-handler.ts';
import * as routes from '../routes.ts';

/** POST /api/v1/runs: begins a run and answers with its token. */
export const handler = defineHandler(services, routes.startRun, startRun);
