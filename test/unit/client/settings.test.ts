import { describe, expect, test } from 'vitest';
import { settingsFrom } from '../../../client/environment.ts';
import { SettingsError } from '../../../client/errors.ts';
import { fromEnvironment } from '../../../client/main.ts';
import { checkSettings, placeOf } from '../../../client/settings.ts';

const token = 'fmr_a-token-of-a-run';
const key = 'fmk_a-key-of-the-runtime';

describe('the environment', () => {
  test('is read by name, and an empty variable counts as absent', () => {
    expect(
      settingsFrom({
        FM_API_URL: 'https://secrets.example.com',
        FM_RUN_TOKEN: '',
        FM_API_KEY: key,
        FM_ENVIRONMENT: 'production',
        FM_PIPELINE_ID: 'p1',
        FM_RUN_ID: 'r1',
        FM_USER: 'ann',
        FM_RESOLVE_FUNCTION: 'resolve',
        FM_ORG: 'acme',
        OTHER: 'x',
      }),
    ).toEqual({
      apiUrl: 'https://secrets.example.com',
      runToken: undefined,
      apiKey: key,
      environment: 'production',
      pipelineId: 'p1',
      runId: 'r1',
      user: 'ann',
      functionName: 'resolve',
      org: 'acme',
    });
  });

  test('that names nothing makes no client', () => {
    expect(() => fromEnvironment({}, {})).toThrow(/FM_API_URL/);
  });
});

describe('settings that suffice', () => {
  test.each([
    { apiUrl: 'https://secrets.example.com', runToken: token },
    { apiUrl: 'https://secrets.example.com/behind/', apiKey: key, environment: 'staging' },
    { apiUrl: 'http://127.0.0.1:4310', runToken: token },
    { apiUrl: 'http://127.8.9.1:4310', runToken: token },
    { apiUrl: 'http://localhost', runToken: token },
    { apiUrl: 'http://[::1]:4310', runToken: token },
    { functionName: 'resolve', runToken: token },
    { functionName: 'resolve:orchestrator', org: 'acme', environment: 'production' },
  ])('%j', (settings) => {
    expect(() => checkSettings(settings)).not.toThrow();
  });
});

describe('settings that do not, or are not safe', () => {
  test.each([
    { apiUrl: 'https://secrets.example.com' },
    { apiUrl: 'https://secrets.example.com', apiKey: key },
    { runToken: token },
    { functionName: 'resolve' },
    { functionName: 'resolve', org: 'acme' },
    { functionName: 'resolve', environment: 'production' },
    { apiUrl: 'http://secrets.example.com', runToken: token },
    { apiUrl: 'http://localhost.example.com', runToken: token },
    { apiUrl: 'http://127.0.0.1.example.com', runToken: token },
    { apiUrl: 'http://10.0.0.1', runToken: token },
    { apiUrl: 'http://[::2]', runToken: token },
    { apiUrl: 'ftp://127.0.0.1', runToken: token },
    { apiUrl: 'secrets.example.com', runToken: token },
    { apiUrl: 'https://ann:pw@secrets.example.com', runToken: token },
    { apiUrl: 'https://secrets.example.com?x=1', runToken: token },
    { apiUrl: 'https://secrets.example.com', runToken: `${token}\r\nx: y` },
  ])('%j', (settings) => {
    expect(() => checkSettings(settings)).toThrow(SettingsError);
  });

  test('are told without the credential', () => {
    const told = (() => {
      try {
        checkSettings({ apiUrl: 'http://secrets.example.com', runToken: token });
      } catch (error) {
        return String(error);
      }
      return '';
    })();
    expect(told).toContain('https://');
    expect(told).not.toContain(token);
  });
});

test('a run token says its own place, an API key is told it', () => {
  const place = { environment: 'production', pipelineId: 'p1', user: 'ann', runId: 'r1' };
  expect(placeOf({ runToken: token, ...place })).toEqual({});
  expect(placeOf({ apiKey: key, ...place })).toEqual({
    environment: 'production',
    pipeline_id: 'p1',
    user: 'ann',
    run_id: 'r1',
  });
  expect(placeOf({ apiKey: key, environment: 'production' })).toEqual({ environment: 'production' });
});
