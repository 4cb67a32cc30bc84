import { render } from 'preact';
import { apiKey } from './state/api.ts';
import { forgetSecrets, reading, readSecrets } from './state/secrets.ts';
import { caller, resume, watchConnection } from './state/session.ts';
import { Shell } from './views/shell.tsx';

/** The console: one page, the documented API, and no value ever. */
async function open(): Promise<void> {
  const resuming = resume();
  // With the key that this tab kept, who it is and what there is are asked at the same time.
  if (apiKey.value !== null) void readSecrets();
  await resuming;
  caller.subscribe((who) => {
    if (who === null) forgetSecrets();
    else if (reading.value.state === 'never') void readSecrets();
  });
  watchConnection(() => {
    if (caller.value === null) void resume();
    else void readSecrets();
  });
  render(<Shell />, document.body);
}

void open();
