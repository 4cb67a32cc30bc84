import type { Settings } from './settings.ts';

/**
 * The settings that a pipeline's host gives its processes; an empty variable counts as absent.
 * @param variables where to look, by default the environment of this process
 */
export function settingsFrom(
  variables: Readonly<Record<string, string | undefined>> = process.env,
): Settings {
  const read = (name: string) => variables[name] || undefined;
  return {
    apiUrl: read('FM_API_URL'),
    runToken: read('FM_RUN_TOKEN'),
    apiKey: read('FM_API_KEY'),
    environment: read('FM_ENVIRONMENT'),
    pipelineId: read('FM_PIPELINE_ID'),
    runId: read('FM_RUN_ID'),
    user: read('FM_USER'),
    functionName: read('FM_RESOLVE_FUNCTION'),
    org: read('FM_ORG'),
  };
}
