import { render } from 'preact';
import { forgetSecrets, reading, readSecrets } from './state/secrets.ts';
import { caller, resume, watchConnection } from './state/session.ts';
import { Shell } from './views/shell.tsx';

/** The console: one page, the documented API, and no value ever. */
async function open(): Promise<void> {
  await resume();
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
