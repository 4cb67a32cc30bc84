import { services } from '#services';
import { updateOrganization } from '../../shared/callers/update-organization.ts';
import { defineHandler } from '../../shared/http/define-handler.ts';
import * as routes from '../routes.ts';

/** PATCH /api/v1/organization: changes the settings of the caller's organization. */
export const handler = defineHandler(services, routes.updateOrganization, updateOrganization);
