import type { Deployment, ReplicaSet } from '../../api/apps/v1.gen.ts';
import type { ConfigMap, Event, Node, Pod, Secret, Service } from '../../api/core/v1.gen.ts';
import type { EndpointSlice } from '../../api/discovery/v1.gen.ts';
import type { KubeObject } from '../../machinery/object.ts';
import { describeConfigMap, describeSecret } from './describe-data.ts';
import { describeDeployment } from './describe-deployment.ts';
import { describeEvents } from './describe-events.ts';
import { describeGeneric } from './describe-generic.ts';
import { describeNode } from './describe-node.ts';
import { describePod } from './describe-pod.ts';
import { describeService } from './describe-service.ts';
import { createTabText, type TabText } from './tab-text.ts';

/** What is shown beside the object itself. */
export interface Surroundings {
  /** About the object. */
  readonly events: readonly Event[];
  /** Of a deployment. */
  readonly replicaSets?: readonly ReplicaSet[];
  /** Of a service. */
  readonly endpointSlices?: readonly EndpointSlice[];
  /** On a node. */
  readonly pods?: readonly Pod[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

type Describer = (text: TabText, object: never, around: Surroundings) => void;

/** By `apiVersion` and kind. */
const describers: Readonly<Record<string, Describer>> = {
  'v1 Pod': (text, pod: Pod) => describePod(text, pod),
  'v1 Service': (text, service: Service, { endpointSlices = [] }) =>
    describeService(text, service, endpointSlices),
  'v1 Node': (text, node: Node, { pods = [], now }) => describeNode(text, node, { pods, now }),
  'v1 ConfigMap': (text, configMap: ConfigMap) => describeConfigMap(text, configMap),
  'v1 Secret': (text, secret: Secret) => describeSecret(text, secret),
  'apps/v1 Deployment': (text, deployment: Deployment, { replicaSets = [] }) =>
    describeDeployment(text, deployment, replicaSets),
};

/** An object in detail, with the events about it: in a form of its kind's own, or field by field. */
export function describeObject(object: KubeObject, around: Surroundings): string {
  const text = createTabText();
  const describe = describers[`${object.apiVersion} ${object.kind}`];
  if (describe) describe(text, object as never, around);
  else describeGeneric(text, object);
  const quiet = object.kind === 'Secret' && object.apiVersion === 'v1';
  if (!quiet) describeEvents(text, around.events, around.now);
  return text.text();
}
