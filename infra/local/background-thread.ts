import { parentPort, workerData } from 'node:worker_threads';
import { services } from '#services';
import { turnsOfBackground } from '../../shared/embedded/turns.ts';
import { startBackground } from './background.ts';

/** A thread of its own for what runs beside the requests, with its own connection to the store. */
services.database.turns = turnsOfBackground(workerData as SharedArrayBuffer);
const background = startBackground(services);

async function stop(): Promise<void> {
  await background.stop();
  services.database.close();
  // With nothing left to listen to, the thread ends.
  parentPort?.close();
}

parentPort?.on('message', (message: 'record' | 'stop') => {
  if (message === 'record') background.recordSoon();
  else void stop();
});
