import { runCommand } from '../run-command.ts';

/** Sets the size of the terminal that is a process's standard input. */
export function resizeTerminal(pid: number | undefined, columns: number, rows: number): void {
  if (pid === undefined || columns <= 0 || rows <= 0) return;
  runCommand('stty', ['-F', `/proc/${pid}/fd/0`, 'cols', String(columns), 'rows', String(rows)]).catch(
    () => {},
  );
}
