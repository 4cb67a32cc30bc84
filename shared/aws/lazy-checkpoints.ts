import type { CheckpointStore } from '../audit/checkpoint-store.ts';

/**
 * A checkpoint store that is loaded when it is first asked. Only two functions ever do, and S3's client is as
 * large as all the rest of a resolve.
 */
export function lazyCheckpoints(load: () => Promise<CheckpointStore>): CheckpointStore {
  let loading: Promise<CheckpointStore> | undefined;
  const store = () => {
    loading ??= load();
    return loading;
  };
  return {
    latest: async (...asked) => (await store()).latest(...asked),
    list: async (...asked) => (await store()).list(...asked),
    add: async (...asked) => (await store()).add(...asked),
    readTile: async (...asked) => (await store()).readTile(...asked),
    addTile: async (...asked) => (await store()).addTile(...asked),
  };
}
