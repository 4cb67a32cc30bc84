import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { environmentOf } from './server.ts';

/** What to type when something was shown. */
export type Exchange = readonly [shown: string, typed: string];

// A real pseudo-terminal: each answer is typed once, after what it answers was shown.
const driver = `
import json, os, pty, sys
exchanges = json.loads(sys.argv[1])
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
shown = b''
looked = 0
while True:
    try:
        chunk = os.read(fd, 4096)
    except OSError:
        break
    if not chunk:
        break
    shown += chunk
    while exchanges:
        at = shown.find(exchanges[0][0].encode(), looked)
        if at < 0:
            break
        looked = at + len(exchanges[0][0].encode())
        os.write(fd, exchanges.pop(0)[1].encode())
_, status = os.waitpid(pid, 0)
code = os.waitstatus_to_exitcode(status)
sys.stdout.write(json.dumps({'shown': shown.decode('utf8', 'replace'), 'code': code}))
`;

/** Runs a command on a terminal of its own. @returns all that the terminal showed, and the exit code */
export async function onTerminal(
  command: readonly string[],
  settings: Readonly<Record<string, string>>,
  exchanges: readonly Exchange[] = [],
): Promise<{ readonly shown: string; readonly code: number }> {
  const { stdout } = await promisify(execFile)(
    'python3',
    ['-c', driver, JSON.stringify(exchanges), ...command],
    {
      env: environmentOf({ XDG_CONFIG_HOME: '/nonexistent', FM_KEYCHAIN: 'off', TERM: 'xterm', ...settings }),
      maxBuffer: 16 * 1024 * 1024,
    },
  );
  const { shown, code } = JSON.parse(stdout) as { shown: string; code: number };
  return { shown: shown.replaceAll('\r\n', '\n'), code };
}
