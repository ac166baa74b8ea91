import { join } from 'node:path';
import { readIfPresent } from '../state-file.ts';

/** What the launcher said when the container could not start. */
export async function failureMessage(folder: string): Promise<string> {
  const log = (await readIfPresent(join(folder, 'runtime.log')))?.trim() ?? '';
  const [line = ''] = log.split('\n').filter(Boolean).toReversed();
  const message = line.startsWith('{') ? messageOf(line) : line;
  return `failed to create containerd task: failed to create shim task: OCI runtime create failed: ${message || 'the runtime ended without a message'}: unknown`;
}

/** What the launcher said when a command could not be started in a container; undefined when it was started. */
export async function execFailure(logFile: string): Promise<string | undefined> {
  const log = (await readIfPresent(logFile)) ?? '';
  // What ends with a carriage return is the command's own: crun puts there what the terminal still held (see terminalRest).
  const line = log
    .split('\n')
    .toReversed()
    .find((text) => text.startsWith('{') && !text.endsWith('\r') && /"level": ?"error"/.test(text));
  return (
    line && `failed to exec in container: OCI runtime exec failed: exec failed: ${messageOf(line)}: unknown`
  );
}

function messageOf(line: string): string {
  const { msg } = JSON.parse(line) as { readonly msg?: string };
  const missing = /executable file [`"]?([^`"']+)[`"']? not found/.exec(msg ?? '');
  return missing
    ? `unable to start container process: exec: "${missing[1]}": executable file not found in $PATH`
    : (msg ?? line);
}
