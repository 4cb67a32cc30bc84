import { services } from '#services';
import { describeOrganization } from '../../shared/callers/describe-organization.ts';
import { defineHandler } from '../../shared/http/define-handler.ts';
import * as routes from '../routes.ts';

/** GET /api/v1/organization: the settings of the caller's organization. */
export const handler = defineHandler(services, routes.describeOrganization, describeOrganization);
