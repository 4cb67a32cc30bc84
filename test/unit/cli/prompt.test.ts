import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { nothingTyped, type } from '../../../cli/prompt.ts';
import { visible } from '../../../cli/terminal.ts';

/** Types pieces one after another. */
function typed(...pieces: string[]) {
  return pieces.reduce(type, nothingTyped);
}

describe('what is typed at a prompt without an echo', () => {
  test.each([
    ['a line', ['key\r'], 'key', 'entered'],
    ['a line in pieces', ['k', 'e', 'y', '\n'], 'key', 'entered'],
    ['with a backspace', ['kez\u007fy\r'], 'key', 'entered'],
    ['a backspace over a surrogate pair', ['a😀\u007fb\r'], 'ab', 'entered'],
    ['begun again with control-U', ['wrong\u0015right\r'], 'right', 'entered'],
    ['arrow keys do nothing', ['a\u001b[Db\u001bOAc\r'], 'abc', 'entered'],
    ['an arrow key in two pieces', ['a\u001b[', 'Db\r'], 'ab', 'entered'],
    ['control-C', ['ke\u0003'], 'ke', 'cancelled'],
    ['control-D at the start', ['\u0004'], '', 'cancelled'],
    ['control-D at the end', ['key\u0004'], 'key', 'entered'],
    ['a marked paste of several lines', ['\u001b[200~a\rb\n\u001b[201~\r'], 'a\nb\n', 'entered'],
    ['an unmarked paste of several lines', ['a\rb\r'], 'a', 'several-lines'],
    ['a tab is text', ['a\tb\r'], 'a\tb', 'entered'],
    ['other control characters are not', ['a\u0001b\r'], 'ab', 'entered'],
  ])('%s', (_what, pieces, text, end) => {
    expect(typed(...pieces)).toMatchObject({ text, end });
  });

  test('nothing ends by itself', () => {
    expect(typed('key').end).toBeUndefined();
  });
});

test('what could steer a terminal is written out', () => {
  expect(visible('\u001b[31mred\u0007\r\nend\u202e')).toBe('\\u001b[31mred\\u0007\\u000d\\u000aend\\u202e');
  expect(visible('plain é 😀 👩\u200d🚀')).toBe('plain é 😀 👩\u200d🚀');
});

test('on a real terminal nothing is echoed, and the value arrives', async () => {
  // A pty of its own: the value is typed when the question has come, and all that the terminal showed is kept.
  const script = `
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
shown = b''
typed = False
while True:
    try:
        chunk = os.read(fd, 1024)
    except OSError:
        break
    if not chunk:
        break
    shown += chunk
    if not typed and b'Value of' in shown:
        os.write(fd, b'hunter2-canary\\r')
        typed = True
_, status = os.waitpid(pid, 0)
sys.stdout.write(repr(shown))
`;
  const settings = { FM_API_URL: 'http://127.0.0.1:9', FM_API_KEY: 'fmk_x', PATH: process.env['PATH'] ?? '' };
  const fm = [process.execPath, 'cli/fm.cjs', 'secrets', 'set', 'name'];
  const { stdout } = await promisify(execFile)('python3', ['-c', script, ...fm], { env: settings });
  expect(stdout).toContain('Value of name: ');
  expect(stdout).not.toContain('hunter2');
  // No server listens there: the value was taken, and the command went on to send it.
  expect(stdout).toContain('The server cannot be reached');
}, 30_000);
