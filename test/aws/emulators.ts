import * as z from 'zod';

/** Where the emulators listen; `npm run test:aws` says it. */
const endpoints = z
  .object({
    FM_TEST_DYNAMODB: z.url(),
    FM_TEST_MINISTACK: z.url(),
    FM_TEST_MOTO: z.url(),
  })
  .parse(process.env);

export const dynamodbLocal = endpoints.FM_TEST_DYNAMODB;
export const ministack = endpoints.FM_TEST_MINISTACK;
export const moto = endpoints.FM_TEST_MOTO;

/**
 * A client's settings for an emulator. It may answer slowly while a busy machine warms it up, and no test is
 * about that. The key is a made-up account's: MiniStack keeps accounts apart by it. */
export function clientFor(endpoint: string) {
  return {
    endpoint,
    region: 'us-east-1',
    requestHandler: { connectionTimeout: 20_000, requestTimeout: 20_000 },
    credentials: { accessKeyId: '111111111111', secretAccessKey: 'test' },
  };
}
