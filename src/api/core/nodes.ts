import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { type ResourceDefinition, defineResource } from '../resource.ts';
import { nodeColumns } from './node-columns.ts';
import { validateNode, validateNodeUpdate } from './node-validation.ts';
import { nodeProxy } from './proxies.ts';
import { roundResources } from './pod-spec/resource-rounding.ts';
import { type Node, nodes as nodeType } from './v1.gen.ts';

const notReady = 'node.kubernetes.io/not-ready';

function defaultNode(node: DeepMutable<Node>): void {
  node.spec ??= {};
  const { spec } = node;
  if (spec.podCIDR && spec.podCIDR !== spec.podCIDRs?.[0]) spec.podCIDRs = [spec.podCIDR];
  if (spec.podCIDRs?.[0]) spec.podCIDR = spec.podCIDRs[0];
  const status = (node.status ??= {});
  roundResources(status.capacity);
  roundResources(status.allocatable);
  if (status.capacity) status.allocatable ??= { ...status.capacity };
  status.daemonEndpoints ??= {};
  status.daemonEndpoints.kubeletEndpoint ??= { Port: 0 };
  status.nodeInfo ??= {
    machineID: '',
    systemUUID: '',
    bootID: '',
    kernelVersion: '',
    osImage: '',
    containerRuntimeVersion: '',
    kubeletVersion: '',
    kubeProxyVersion: '',
    operatingSystem: '',
    architecture: '',
  };
}

/** A node starts out tainted until its kubelet has reported it ready (upstream's TaintNodesByCondition admission). */
function taintUntilReady(node: DeepMutable<Node>): void {
  const taints = (node.spec.taints ??= []);
  if (taints.some(({ key, effect }) => key === notReady && effect === 'NoSchedule')) return;
  taints.push({ key: notReady, effect: 'NoSchedule' });
}

/** Nodes. Creating one keeps the status that the kubelet sends with it. */
export const nodes: ResourceDefinition<Node> = defineResource<Node>({
  storage: 'v1',
  storagePath: 'minions',
  versions: { v1: { type: nodeType, schema: 'io.k8s.api.core.v1.Node', defaults: defaultNode } },
  subresources: { proxy: nodeProxy },
  prepareForCreate(node) {
    delete node.spec.configSource;
    taintUntilReady(node);
  },
  prepareForUpdate(next, old) {
    next.status = mutableCopy(old.status ?? {});
  },
  validate: validateNode,
  validateUpdate: validateNodeUpdate,
  status: {
    prepare(next, old) {
      next.spec = mutableCopy(old.spec);
    },
    validate: validateNodeUpdate,
  },
  warnings: ({ spec }) =>
    spec.externalID ? ['spec.externalID: this field is deprecated, and is unused by Kubernetes'] : [],
  selectableFields: { 'spec.unschedulable': ({ spec }) => String(spec.unschedulable ?? false) },
  columns: nodeColumns,
});
