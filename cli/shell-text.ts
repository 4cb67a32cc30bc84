import { isUtf8 } from 'node:buffer';

/** A variable whose value a shell is to take, byte by byte. */
export interface Variable {
  readonly variable: string;
  readonly bytes: Buffer;
}

/** What writes a variable for one kind of reader, and why it cannot carry a value; null when it can. */
export interface ShellText {
  write(variable: Variable): string;
  refusal(bytes: Buffer): string | null;
}

const NUL = 'it holds a NUL, which no variable can hold';
const NO_TEXT = 'it holds bytes that are no text';
const hasNul = (bytes: Buffer) => bytes.includes(0);

/** For `eval "$(…)"` in bash, zsh and ksh. Control characters and bytes that are no text are written out. */
const bash: ShellText = {
  write: ({ variable, bytes }) => `export ${variable}=${bashQuoted(bytes)}\n`,
  refusal: (bytes) => (hasNul(bytes) ? NUL : null),
};

function bashQuoted(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is written out
  if (isUtf8(bytes) && !/[\x00-\x1f\x7f]/.test(text)) return `'${text.replaceAll("'", "'\\''")}'`;
  const isPlain = (byte: number) => byte >= 0x20 && byte < 0x7f && byte !== 0x27 && byte !== 0x5c;
  // Three octal digits, never fewer: no digit that follows can belong to them.
  const parts = Array.from(bytes, (byte) =>
    isPlain(byte) ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`,
  );
  return `$'${parts.join('')}'`;
}

/** For `… | source` in fish. What is not plain is written out byte by byte, outside of quotes. */
const fish: ShellText = {
  write: ({ variable, bytes }) => `set -gx ${variable} ${fishQuoted(bytes)}\n`,
  refusal: (bytes) => (hasNul(bytes) ? NUL : null),
};

function fishQuoted(bytes: Buffer): string {
  const parts = bytes
    .toString('latin1')
    .match(/[ -~]+|[^ -~]+/g)
    ?.map((part) => {
      if (/^[ -~]/.test(part)) return `'${part.replace(/[\\']/g, '\\$&')}'`;
      return Array.from(part, (byte) => `\\X${byte.charCodeAt(0).toString(16).padStart(2, '0')}`).join('');
    });
  return parts?.join('') ?? "''";
}

/** For `Invoke-Expression`. In ASCII alone: what a pipe does to other characters depends on the code page. */
const powershell: ShellText = {
  write: ({ variable, bytes }) => `$env:${variable} = ${powershellQuoted(bytes.toString('utf8'))}\n`,
  refusal: (bytes) => {
    if (hasNul(bytes)) return NUL;
    return isUtf8(bytes) ? null : NO_TEXT;
  },
};

function powershellQuoted(text: string): string {
  const parts = text.match(/[ -~]+|[^ -~]+/g)?.map((part) => {
    if (/^[ -~]/.test(part)) return `'${part.replaceAll("'", "''")}'`;
    const units = Array.from({ length: part.length }, (_, at) => `[char]${part.charCodeAt(at)}`);
    return units.length === 1 ? `(${units[0]}).ToString()` : `(-join (${units.join(',')}))`;
  });
  return parts === undefined || parts.length === 1 ? (parts?.[0] ?? "''") : `(${parts.join(' + ')})`;
}

// Docker reads lines of at most this many bytes.
const MAX_ENV_FILE_LINE = 64 * 1024 - 1;

/** For `docker run --env-file`, which knows no quotes: what a line cannot hold is refused. */
const envFile: ShellText = {
  write: ({ variable, bytes }) => `${variable}=${bytes.toString('utf8')}\n`,
  refusal: (bytes) => {
    if (hasNul(bytes)) return NUL;
    if (!isUtf8(bytes)) return `${NO_TEXT}, which an env-file cannot carry`;
    if (bytes.includes(0x0a)) return 'it has a line break, which an env-file cannot carry';
    if (bytes.at(-1) === 0x0d) return 'it ends in a carriage return, which an env-file loses';
    return bytes.length > MAX_ENV_FILE_LINE - 256 ? 'it is longer than a line of an env-file may be' : null;
  },
};

export const shellTexts = { bash, fish, powershell, 'env-file': envFile } as const;
