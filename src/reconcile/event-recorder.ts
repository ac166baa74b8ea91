import type { KubeObject } from '../machinery/object.ts';

/** Records core/v1 Events about objects; repeats are counted on one Event, and a hot source is rate limited per object. */
export interface EventRecorder {
  /** Never throws and is not waited for. `reason` is CamelCase; `component` is fixed when the recorder is made. */
  record(about: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string): void;
  /** A recorder that writes as another component (and host). */
  as(component: string, host?: string): EventRecorder;
}
