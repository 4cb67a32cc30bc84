import { readdirSync, readFileSync } from 'node:fs';
import { guardedMinistack } from './guarded-emulator.ts';

/**
 * The most memory that the process of each function has had until now, in MB, by what the function is called in its
 * logs. Each runs in a Node of its own, as on Lambda. Linux alone tells.
 */
export function peakMemory(): ReadonlyMap<string, number> {
  const peaks = new Map<string, number>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
      if (!environment.includes(`AWS_ENDPOINT_URL=${guardedMinistack.endpoint}`)) continue;
      const name = environment.find((line) => line.startsWith('POWERTOOLS_SERVICE_NAME='))?.split('=')[1];
      const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
      if (name === undefined || peak === undefined) continue;
      peaks.set(name, Math.max(peaks.get(name) ?? 0, Math.round(Number(peak) / 1000)));
    } catch {
      // It has ended since.
    }
  }
  return peaks;
}
