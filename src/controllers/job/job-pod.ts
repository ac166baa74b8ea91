import type { Job } from '../../api/batch/v1.gen.ts';
import type { Container, Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { podFromTemplate } from '../pods/pod-from-template.ts';
import { failureAnnotations } from './index-failures.ts';
import { indexAnnotation, limitsEachIndex, trackingFinalizer } from './job-state.ts';
import type { NewPod } from './pod-changes.ts';

/** The server adds five characters to a generated name. */
const longestPrefix = 63 - 5;

/** The pod of a job; of an indexed one, it learns its index from a label, an annotation, its name and its environment. */
export function jobPod(job: Live<Job>, { index, follows }: NewPod): Pod {
  const pod = podFromTemplate(job.spec.template, job);
  const finalizers = [...new Set([...(pod.metadata.finalizers ?? []), trackingFinalizer])];
  if (index === undefined) return { ...pod, metadata: { ...pod.metadata, finalizers } };
  const text = String(index);
  const { name } = job.metadata;
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      generateName: `${name.slice(0, longestPrefix - text.length - 2)}-${text}-`,
      labels: { ...pod.metadata.labels, [indexAnnotation]: text },
      annotations: {
        ...pod.metadata.annotations,
        [indexAnnotation]: text,
        ...(limitsEachIndex(job) && failureAnnotations(job, follows)),
      },
      finalizers,
    },
    spec: {
      ...pod.spec,
      hostname: `${name}-${text}`,
      containers: pod.spec.containers.map(withIndex),
      ...(pod.spec.initContainers && { initContainers: pod.spec.initContainers.map(withIndex) }),
    },
  };
}

function withIndex(container: Container): Container {
  const env = container.env ?? [];
  if (env.some(({ name }) => name === 'JOB_COMPLETION_INDEX')) return container;
  const fieldRef = { apiVersion: 'v1', fieldPath: `metadata.labels['${indexAnnotation}']` };
  return { ...container, env: [...env, { name: 'JOB_COMPLETION_INDEX', valueFrom: { fieldRef } }] };
}
