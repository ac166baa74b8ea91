import { join } from 'node:path';

/** Where the native runtime keeps what: state that lasts in `directory`, what a reboot may take in `runDirectory`. */
export interface NativeLayout {
  readonly directory: string;
  readonly runDirectory: string;
  readonly containers: string;
  readonly sandboxes: string;
  /** Short links to layer directories, so that a mount's options stay below one page. */
  readonly layers: string;
  readonly shimScript: string;
  /** One file per container: the exit code and the number of OOM kills, ended by a newline when complete. */
  readonly exits: string;
  /** One file per container: the process id of its first process. */
  readonly pids: string;
  /** One file per container: the process id of its wrapper. */
  readonly shims: string;
  readonly namespaces: string;
  readonly sharedMemory: string;
  /** An empty folder that wrappers mount on. */
  readonly mapped: string;
  readonly fifos: string;
  /** State of the OCI runtime. */
  readonly runtimeRoot: string;
  /** The process id of the agent that reads the containers' output. */
  readonly agent: string;
}

export function nativeLayout(directory: string, runDirectory: string): NativeLayout {
  return {
    directory,
    runDirectory,
    containers: join(directory, 'containers'),
    sandboxes: join(directory, 'sandboxes'),
    layers: join(directory, 'l'),
    fifos: join(directory, 'fifos'),
    shimScript: join(directory, 'shim.sh'),
    exits: join(runDirectory, 'exits'),
    pids: join(runDirectory, 'pids'),
    shims: join(runDirectory, 'shims'),
    namespaces: join(runDirectory, 'ns'),
    sharedMemory: join(runDirectory, 'shm'),
    mapped: join(runDirectory, 'mapped'),
    runtimeRoot: join(runDirectory, 'oci'),
    agent: join(runDirectory, 'agent'),
  };
}

/** The folders that must exist before anything else. */
export function layoutFolders(layout: NativeLayout): readonly string[] {
  return [
    layout.containers,
    layout.sandboxes,
    layout.layers,
    layout.fifos,
    layout.exits,
    layout.pids,
    layout.shims,
    layout.namespaces,
    layout.sharedMemory,
    layout.mapped,
    layout.runtimeRoot,
  ];
}
