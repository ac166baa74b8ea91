import { systemClock } from '../base/clock.ts';
import type { Client } from '../client/client.ts';
import type { KubeObject, Live, ResourceType } from '../machinery/object.ts';
import type { EventRecorder } from '../reconcile/event-recorder.ts';
import { staticInformers } from '../reconcile/static-informers.ts';
import type { Handle } from './framework.ts';
import { Nominator } from './nominator.ts';
import { SchedulerCache } from './scheduler-cache.ts';

/** What plug-ins are made with when no scheduler runs: a cluster of these objects and no server. */
export function idleHandle(objects: readonly Live<KubeObject>[] = []): Handle {
  return {
    client: noClient,
    informers: staticInformers(objects),
    clock: systemClock,
    signal: new AbortController().signal,
    events: silent,
    snapshot: new SchedulerCache(() => undefined),
    nominations: new Nominator(),
    profileName: 'default-scheduler',
    extenders: [],
    random: () => 0,
    filter: () => undefined,
    addPod: () => undefined,
    removePod: () => undefined,
    waitingPods: () => [],
    writeStatus: () => Promise.resolve(),
    clearNomination: () => undefined,
    activate: () => undefined,
    onPreemption: () => undefined,
    onFailure: () => undefined,
  };
}

const silent: EventRecorder = { record: () => undefined, as: () => silent };

const noClient: Client = {
  get transport(): never {
    return refuse();
  },
  for<T extends KubeObject>(type: ResourceType<T>) {
    return { type, ...noResource };
  },
};

const refuse = (): never => {
  throw new Error('this trial has no server');
};

const noResource = {
  get: refuse,
  list: refuse,
  watch: refuse,
  create: refuse,
  update: refuse,
  updateStatus: refuse,
  patch: refuse,
  delete: refuse,
  deleteCollection: refuse,
  createSubresource: refuse,
};
