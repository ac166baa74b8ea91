import { open, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Container } from '../api/core/v1.gen.ts';
import { isMissing } from './missing-file.ts';
import { parseLogLine } from './logs/log-line.ts';

const MAX_FILE_BYTES = 4096;
const MAX_LOG_BYTES = 2048;
const MAX_LOG_LINES = 80;

/** Makes the empty file that a container finds at its `terminationMessagePath`; any user may write it. */
export async function makeTerminationLog(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, 'w');
  try {
    // The mode given to open is subject to the umask.
    await file.chmod(0o666);
  } finally {
    await file.close();
  }
}

/** The last words of an ended container: the end of its message file, or of its log when the policy says so. */
export async function terminationMessage(
  container: Container,
  ended: { readonly file: string; readonly logPath: string; readonly exitCode: number },
): Promise<string> {
  const text = await tail(ended.file, MAX_FILE_BYTES);
  if (text !== '' || container.terminationMessagePolicy !== 'FallbackToLogsOnError' || ended.exitCode === 0) {
    return text;
  }
  const log = await tail(ended.logPath, 4 * MAX_LOG_BYTES);
  const lines = log.split('\n').slice(-MAX_LOG_LINES - 1);
  const words = lines.map((line) => {
    const entry = parseLogLine(Buffer.from(line));
    if (!entry) return '';
    return `${entry.text.toString('utf8')}${entry.partial ? '' : '\n'}`;
  });
  return Buffer.from(words.join('')).subarray(-MAX_LOG_BYTES).toString('utf8');
}

async function tail(path: string, bytes: number): Promise<string> {
  try {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      const length = Math.min(size, bytes);
      const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
      return buffer.toString('utf8');
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
}
