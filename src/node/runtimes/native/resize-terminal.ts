import { runCommand } from '../run-command.ts';

/**
 * Sets the size of the terminal that is a process's standard input, whenever it is called, the last size last; does nothing as long
 * as the process is unknown. In character cells.
 */
export function terminalSizer(
  findPid: () => Promise<number | undefined>,
): (columns: number, rows: number) => void {
  let wanted: readonly [number, number] | undefined;
  let working = false;

  async function work(): Promise<void> {
    const pid = await findPid();
    while (wanted) {
      const [columns, rows] = wanted;
      wanted = undefined;
      if (pid === undefined) return;
      const size = ['cols', String(columns), 'rows', String(rows)];
      // The program may be gone, or have no terminal any more.
      await runCommand('stty', ['-F', `/proc/${pid}/fd/0`, ...size]).catch(() => {});
    }
  }

  return (columns, rows) => {
    if (columns <= 0 || rows <= 0) return;
    wanted = [columns, rows];
    if (working) return;
    working = true;
    void work().finally(() => (working = false));
  };
}
