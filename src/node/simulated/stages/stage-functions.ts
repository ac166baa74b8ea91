import type { Clock } from '../../../base/clock.ts';
import { goQuote } from '../../../machinery/go-quote.ts';
import { templateFunction, type FunctionMap } from '../../../machinery/go-template/template-function.ts';
import { sprigFunctions } from '../../../machinery/go-template/sprig/sprig-functions.ts';
import { toYaml } from '../../../machinery/yaml/to-yaml.ts';
import { fromTemplateData } from './template-data.ts';

/** What templates of stages can ask about the simulated cluster. */
export interface SimulatedWorld {
  readonly clock: Clock;
  /** `v1.36.2+kanoe.0.1.0`. */
  readonly version: string;
  /** Port of the nodes' kubelet; 0 for none. */
  nodePort(): number;
  /** The address of the node that is rendered, or of any by its name. */
  nodeIP(nodeName?: string): string;
  /** The node that is rendered. */
  nodeName(): string;
  podIP(nodeName: string | undefined): string;
}

const nodeConditions = [
  ['Ready', 'True', 'KubeletReady', 'kubelet is posting ready status'],
  ['MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
  ['DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
  ['PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
  ['NetworkUnavailable', 'False', 'RouteCreated', 'RouteController created a route'],
].map(([type, status, reason, message]) => ({ type, status, reason, message }));

/** The functions that KWOK gives to the templates of stages, over sprig's. */
export function stageFunctions(world: SimulatedWorld): FunctionMap {
  const { clock } = world;
  const started = new Date(clock.now()).toISOString();
  return {
    ...sprigFunctions(clock),
    ...kwokFunctions,
    Now: templateFunction([], () => new Date(clock.now()).toISOString()),
    StartTime: templateFunction([], () => started),
    Version: templateFunction([], () => world.version),
    NodeConditions: templateFunction([], () => nodeConditions),
    NodeIP: templateFunction([], () => world.nodeIP()),
    NodeIPWith: templateFunction(['string'], (name: string) => world.nodeIP(name)),
    NodeName: templateFunction([], () => world.nodeName()),
    NodePort: templateFunction([], () => BigInt(world.nodePort())),
    PodIP: templateFunction([], () => world.podIP(undefined)),
    PodIPWith: templateFunction(
      ['string', 'bool', 'string', 'string', 'string'],
      (node: string, hostNetwork: boolean) => (hostNetwork ? world.nodeIP(node) : world.podIP(node)),
    ),
  };
}

/** Those of KWOK's functions that need no cluster: `Quote` and `YAML`. */
export const kwokFunctions: FunctionMap = {
  Quote: templateFunction(['any'], quote),
  YAML: templateFunction(['any'], yaml, 'int'),
};

/** A string as JSON; anything else as a string that holds its JSON. */
function quote(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return goQuote(JSON.stringify(fromTemplateData(value) ?? null));
}

/** The value as YAML, indented by so many times two blanks. */
function yaml(value: unknown, indent = 0n): string {
  const text = toYaml(fromTemplateData(value));
  if (indent <= 0n) return text;
  const pad = ' '.repeat(Number(indent) * 2);
  return `\n${text}`.replaceAll('\n', `\n${pad}`);
}
